"""Settings: found, laid over one another, checked all at once, and never leaking the key."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flows.documents import parse, validate
from flows.errors import InvalidInput, Problem, Refused, UserError
from flows.settings import Loaded, Sections, Settings, base_yaml, load_settings

ROOT = Path(__file__).resolve().parent.parent
KEY = "not-a-real-key"
Load = Callable[..., Loaded]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Settings of a project in `tmp_path` with these files below `configs/` and these variables."""

    def run(files: dict[str, str] | None = None, *configs: str, env: dict[str, str] | None = None) -> Loaded:
        (tmp_path / "configs").mkdir(exist_ok=True)
        for name, text in (files or {}).items():
            (tmp_path / "configs" / name).write_text(text, encoding="utf-8")
        return load_settings(None, configs, env or {}, tmp_path)

    return run


def problems(load: Load, *args: Any, **kwargs: Any) -> tuple[Problem, ...]:
    """What loading complains about."""
    with pytest.raises(InvalidInput) as caught:
        load(*args, **kwargs)
    return caught.value.problems


# --- the files we ship --------------------------------------------------------------------------------------


def test_base_yaml_is_not_stale() -> None:
    """`configs/base.yaml` is what the model says today."""
    stale = "configs/base.yaml is stale: make generated"
    assert (ROOT / "configs" / "base.yaml").read_text(encoding="utf-8") == base_yaml(), stale


def test_base_yaml_holds_every_setting_at_its_default() -> None:
    """Reading the generated file gives exactly the defaults, and leaves none out."""
    document = parse(base_yaml(), "base.yaml")
    assert validate(document, Sections) == Sections()
    for section, info in Sections.model_fields.items():
        assert isinstance(info.annotation, type)
        assert set(document.data[section]) == set(info.annotation.model_fields)


def test_every_setting_is_explained() -> None:
    """No key of base.yaml stands there without a comment above it."""
    lines = base_yaml().splitlines()
    keys = [index for index, line in enumerate(lines) if line.strip() and not line.strip().startswith("#")]
    assert all(lines[index - 1].strip().startswith("#") for index in keys)
    assert max(map(len, lines)) <= 110


@pytest.mark.parametrize(
    ("overlay", "origin", "cap", "assets"),
    [
        ("local", "sandbox", "1.00", str(ROOT / "data/images")),
        ("s3", "sandbox", "5.00", "s3://your-brand-images/ideoflow/images"),
        ("production", "api.ideogram.ai", "25.00", str(ROOT / "data/images")),
    ],
)
def test_the_shipped_overlays_load(overlay: str, origin: str, cap: str, assets: str) -> None:
    """Each example overlay is valid and does what its name says."""
    settings = load_settings(ROOT, [overlay], {}, ROOT).settings
    assert settings.origin == origin
    assert settings.budget.per_run_usd == Decimal(cap)
    assert settings.locate(settings.storage.assets) == assets
    assert settings.api.private


# --- where the project is -----------------------------------------------------------------------------------


def test_the_project_is_the_nearest_parent_with_configs(tmp_path: Path) -> None:
    """From deep inside a project its root is found; its base.yaml counts."""
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "base.yaml").write_text("api: {max_in_flight: 3}", encoding="utf-8")
    loaded = load_settings(None, [], {}, deep)
    assert loaded.settings.project == tmp_path.resolve()
    assert loaded.settings.api.max_in_flight == 3
    assert loaded.files == ("configs/base.yaml",)


def test_no_configs_means_defaults_here(tmp_path: Path) -> None:
    """Outside any project the working directory serves, with the built-in defaults."""
    loaded = load_settings(tmp_path, [], {}, tmp_path)
    assert loaded.files == ()
    assert loaded.settings.project == tmp_path.resolve()
    assert loaded.settings.locate(loaded.settings.storage.history) == str(tmp_path.resolve() / "data/history")


def test_told_wins_over_the_environment_wins_over_looking(tmp_path: Path) -> None:
    """--project, then IDEOFLOW_PROJECT, then the nearest parent; relative ones from where one stands."""
    for name in ("told", "env", "here"):
        (tmp_path / name / "configs").mkdir(parents=True)
    env = {"IDEOFLOW_PROJECT": "../env"}
    here = tmp_path / "here"
    assert load_settings(Path("../told"), [], env, here).settings.project.name == "told"
    assert load_settings(None, [], env, here).settings.project.name == "env"
    assert load_settings(None, [], {}, here).settings.project.name == "here"


@pytest.mark.parametrize(("told", "env", "who"), [("no", "", "--project"), (None, "no", "IDEOFLOW_PROJECT")])
def test_a_project_that_is_not_there_is_said(told: str | None, env: str, who: str, tmp_path: Path) -> None:
    """A mistyped folder is an error, not a new project full of defaults."""
    with pytest.raises(UserError, match=f"{who}: there is no folder"):
        load_settings(Path(told) if told else None, [], {"IDEOFLOW_PROJECT": env}, tmp_path)


# --- layers -------------------------------------------------------------------------------------------------


def test_the_last_layer_wins_key_by_key(load: Load) -> None:
    """base.yaml, overlays in order, then the environment; what a layer does not say stays."""
    files = {
        "base.yaml": "api: {max_in_flight: 2, images_per_request: 2}\nbudget: {per_run_usd: 1}",
        "one.yaml": "api: {max_in_flight: 3}\nstorage: {assets: s3://one/x}",
        "two.yaml": "api: {max_in_flight: 4}",
    }
    loaded = load(files, "one", "two", env={"IDEOFLOW_BUDGET__PER_RUN_USD": "2.50"})
    settings = loaded.settings
    assert (settings.api.max_in_flight, settings.api.images_per_request) == (4, 2)
    assert settings.budget.per_run_usd == Decimal("2.50")
    assert loaded.files == ("configs/base.yaml", "configs/one.yaml", "configs/two.yaml")
    assert load(files, "two", "one").settings.api.max_in_flight == 3


def test_every_setting_knows_who_set_it(load: Load) -> None:
    """File and line, the variable, or that it is a default."""
    loaded = load(
        {"base.yaml": "api:\n  max_in_flight: 2\n", "s3.yaml": "api:\n\n  images_per_request: 2\n"},
        "s3",
        env={"IDEOFLOW_GENERATE__TIMEZONE": "Europe/Berlin"},
    )
    assert loaded.source("api.max_in_flight") == "configs/base.yaml:2"
    assert loaded.source("api.images_per_request") == "configs/s3.yaml:3"
    assert loaded.source("generate.timezone") == "environment IDEOFLOW_GENERATE__TIMEZONE"
    assert loaded.source("api.base_url") == "default"


def test_overlays_by_name_path_and_variable(load: Load, tmp_path: Path) -> None:
    """A bare name is one of configs/, a path any file; IDEOFLOW_CONFIG counts only where none is named."""
    files = {"a.yaml": "api: {max_in_flight: 2}", "b.yml": "api: {max_in_flight: 3}"}
    (tmp_path / "mine.yaml").write_text("api: {max_in_flight: 4}", encoding="utf-8")
    assert load(files, "a").settings.api.max_in_flight == 2
    assert load(files, "b").settings.api.max_in_flight == 3
    assert load(files, "mine.yaml").settings.api.max_in_flight == 4
    assert load(files, str(tmp_path / "mine.yaml")).settings.api.max_in_flight == 4
    for several in ("a,b", "a:b", " a , mine.yaml , b,"):
        assert load(files, env={"IDEOFLOW_CONFIG": several}).settings.api.max_in_flight == 3
    assert load(files, "a", env={"IDEOFLOW_CONFIG": "b"}).settings.api.max_in_flight == 2


def test_a_path_is_looked_for_here_and_then_in_the_project(tmp_path: Path) -> None:
    """What a shell completed and what a deployment wrote both work."""
    here = tmp_path / "sub"
    (tmp_path / "configs").mkdir()
    here.mkdir()
    (tmp_path / "configs" / "x.yaml").write_text("api: {max_in_flight: 2}", encoding="utf-8")
    for path in ("../configs/x.yaml", "configs/x.yaml"):
        assert load_settings(None, [path], {}, here).files == ("configs/x.yaml",)


def test_an_overlay_that_is_not_there(load: Load) -> None:
    """The nearest name is offered."""
    (problem,) = problems(load, {"production.yaml": "api: {}"}, "prodcution")
    assert problem.hint == "Did you mean `production`?"
    (problem,) = problems(load, {"production.yaml": "api: {}"}, "elsewhere/x.yaml")
    assert problem.hint == "There is: production."


# --- problems -----------------------------------------------------------------------------------------------


def test_all_problems_of_all_files_at_once(load: Load) -> None:
    """Two files and the environment are wrong; one run says so, with places."""
    found = problems(
        load,
        {"base.yaml": "api:\n  max_in_flight: many\nbudgte: {}\n", "x.yaml": "storage: {asset: y}"},
        "x",
        "nowhere",
        env={
            "IDEOFLOW_API__MAX_INFLIGHT": "3",
            "IDEOFLOW_API__PRIVATE": "perhaps",
            "IDEOGRAM_API_KEY": "a b",
        },
    )
    assert [(p.file, p.line, p.key) for p in found] == [
        ("configs/base.yaml", 2, "api.max_in_flight"),
        ("configs/base.yaml", 3, "budgte"),
        ("configs/x.yaml", 1, "storage.asset"),
        ("environment", 0, "IDEOFLOW_API__MAX_INFLIGHT"),
        ("environment", 0, "IDEOFLOW_API__PRIVATE"),
        ("environment", 0, "IDEOGRAM_API_KEY"),
        ("nowhere", 0, ""),
    ]
    hints = {p.key: p.hint for p in found}
    assert hints["budgte"] == "Did you mean `budget`?"
    assert hints["storage.asset"] == "Did you mean `assets`?"
    assert hints["IDEOFLOW_API__MAX_INFLIGHT"] == "Did you mean IDEOFLOW_API__MAX_IN_FLIGHT?"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("api: {base_url: sandbx}", "Did you mean `sandbox`?"),
        ("api: {base_url: 'http://api.ideogram.ai'}", "would send the key unencrypted"),
        ("api: {base_url: 'https://user:pass@api.ideogram.ai'}", "holds a user name or password"),
        ("api: {base_url: 'https://api.ideogram.ai/?a=1'}", "more than a host and a path"),
        ("api: {base_url: 'https://'}", "neither `sandbox` nor an address"),
        ("api: {base_url: 'https://[::1'}", "is not a usable address"),
        ("api: {base_url: 'https://a:99999'}", "is not a usable address"),
        ("api: {base_url: 'ftp://api.ideogram.ai'}", "begins with https://"),
        ("api: {base_url: 'https://a_b.example'}", "no usable host name"),
        ("api: {image_hosts: []}", "must not be empty"),
        ("api: {image_hosts: ['*.ideogram.ai']}", "Write `ideogram.ai`"),
        ("api: {image_hosts: ['https://ideogram.ai/x']}", "Write `ideogram.ai`"),
        ("api: {image_hosts: ['ideogram ai']}", "is not a host name"),
        ("api: {image_hosts: ideogram.ai}", "must be a list"),
        ("api: {max_in_flight: 0}", "must be at least 1"),
        ("api: {max_in_flight: '10'}", "Write it without quotes."),
        ("api: {max_in_flight: 4.5}", "must be a whole number"),
        ("api: {images_per_request: 9}", "must be at most 8"),
        ("api: {max_in_flight: 2, images_per_request: 4}", "never fits into 2 in flight"),
        ("api: {poll_interval_s: 0}", "must be more than 0"),
        ("api: {private: yes}", "must be true or false"),
        ("api: {api_key: abc}", "export IDEOGRAM_API_KEY"),
        ("api:", "must be a map of keys and values, not nothing"),
        ("- api", "must be a map"),
        ("storage: {assets: ''}", "must not be empty"),
        ("storage: {assets: ~/images}", "for a shell to fill in"),
        ("storage: {assets: '$HOME/images'}", "for a shell to fill in"),
        ("storage: {assets: 'sftp://me:pass@host/x'}", "holds a password"),
        ("storage: {assets: data/history}", "storage.assets and storage.history are the same place"),
        ("storage: {assets: ./data/../data/history/}", "are the same place"),
        ("storage: {history: data}", "lie one in the other"),
        ("storage: {assets: s3://b/x, history: s3://b/x/history}", "lie one in the other"),
        ("storage: {options: {secret: abc}}", "a secret does not belong"),
        ("storage: {options: {client_kwargs: {aws_secret_access_key: abc}}}", "client_kwargs.aws_secret"),
        ("storage: {options: {a: [{sas_token: abc}]}}", "a[0].sas_token"),
        ("storage: {options: {endpoint_url: 'https://u:p@s3.example.com'}}", "endpoint_url: a secret"),
        ("storage: {name_template: '{brand}/x.{ext}'}", "does not hold {image_id}"),
        ("storage: {name_template: '{image_id}.png'}", "does not end in .{ext}"),
        ("storage: {name_template: '../{image_id}.{ext}'}", "lead out of storage.assets"),
        ("storage: {name_template: '/{image_id}.{ext}'}", "lead out of storage.assets"),
        ("storage: {name_template: 'a//{image_id}.{ext}'}", "lead out of storage.assets"),
        ("storage: {name_template: {image_id}.{ext}}", "quotes"),
        ("budget: {per_run_usd: 0}", "must be more than 0"),
        ("budget: {per_run_usd: 0.0000001}", "decimal"),
        ("budget: {per_run_usd: 5 dollars}", "a number"),
        ("generate: {in_doubt: resubmti}", "Did you mean `resubmit`?"),
        ("generate: {timezone: Europe/Berln}", "Did you mean `Europe/Berlin`?"),
        ("generate: {timezone: ../../etc/passwd}", "is not a time zone"),
        ("generate: {manifests: []}", "must not be empty"),
        ("schedules: {generate: {cron: '0 6 * * *'}}", "`timezone` is missing"),
        ("schedules: {generate: {timezone: UTC}}", "`cron` is missing"),
        ("schedules: {generate: '0 6 * * *'}", "must be a map of keys and values"),
        ("schedules: {generate: {cron: '0 6 * *', timezone: UTC}}", "has 4 fields where cron has five"),
        ("schedules: {generate: {cron: '@daily', timezone: UTC}}", "Write minute, hour, day, month and weekday"),
        ("schedules: {audit: {cron: '0 25 * * *', timezone: UTC}}", "is wrong in its hour field"),
        ("schedules: {audit: {cron: '0 0 30 2 *', timezone: UTC}}", "is wrong in its day-of-month field"),
        ("schedules: {audit: {cron: '0 0 LW * *', timezone: UTC}}", "which Prefect does not know"),
        ("schedules: {retain: {cron: '0 6 * * *', timezone: Berlin}}", "is not a time zone"),
        ("schedules: {retian: null}", "Did you mean `retain`?"),
        ("sandbox: {pictures: nice}", "is not one of rich, plain"),
        ("sandbox: {latency_s: -1}", "must be at least 0"),
        ("", "the file is empty"),
        ("a: [", "brackets or braces"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_remedy(text: str, says: str, load: Load) -> None:
    """Each message holds the place, what is wrong and what to write."""
    found = problems(load, {"base.yaml": text})
    assert any(says in str(problem) for problem in found), found
    assert all(problem.file == "configs/base.yaml" for problem in found)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("api: {base_url: 'http://127.0.0.1:8787/'}", lambda s: s.api.base_url == "http://127.0.0.1:8787"),
        ("api: {image_hosts: [Ideogram.AI., 127.0.0.1]}", lambda s: s.api.image_hosts[0] == "ideogram.ai"),
        ("budget: {per_run_usd: null}", lambda s: s.budget.per_run_usd is None),
        ("budget: {per_run_usd: 0.1}", lambda s: s.budget.per_run_usd == Decimal("0.1")),
        ("storage: {assets: 'abfs://images@account/x'}", lambda s: s.storage.assets.startswith("abfs")),
        ("storage: {options: {anon: true, token: anon}}", lambda s: s.storage.options["token"] == "anon"),
        ("storage: {options: {key_filename: /x/id}}", lambda s: "key_filename" in s.storage.options),
        ("storage: {options: {a: {SSEKMSKeyId: x}}}", lambda s: "a" in s.storage.options),
        ("generate: {timezone: Europe/Berlin}", lambda s: s.generate.zone.key == "Europe/Berlin"),
        ("schedules: {generate: null}", lambda s: s.schedules.generate is None and s.schedules.maintain is not None),
        (
            "schedules: {audit: {cron: ' 0 6  * * mon', timezone: Europe/Berlin}}",
            lambda s: str(s.schedules.audit) == "At 06:00 on Monday, Europe/Berlin",
        ),
        ("sandbox: {latency_s: 0, state: null}", lambda s: s.sandbox.state is None),
    ],
)
def test_what_is_right_is_taken(text: str, read: Callable[[Settings], bool], load: Load) -> None:
    """Numbers without a fraction, capitals in host names, harmless options: no pedantry."""
    assert read(load({"base.yaml": text}).settings)


def test_a_conflict_points_at_who_made_it(load: Load) -> None:
    """Of two settings that do not go together, the one that was set is named with its place."""
    (problem,) = problems(load, env={"IDEOFLOW_STORAGE__HISTORY": "data/images"})
    assert (problem.file, problem.key) == ("environment", "IDEOFLOW_STORAGE__HISTORY")


# --- the environment ----------------------------------------------------------------------------------------


def test_the_environment_sets_anything(load: Load) -> None:
    """Texts as they stand, numbers and words as in YAML, lists and maps as JSON."""
    settings = load(
        env={
            "IDEOFLOW_API__BASE_URL": "https://api.ideogram.ai",
            "IDEOFLOW_API__IMAGE_HOSTS": '["ideogram.ai", "img.example.com"]',
            "IDEOFLOW_API__MAX_IN_FLIGHT": "4",
            "IDEOFLOW_API__PRIVATE": "false",
            "IDEOFLOW_API__POLL_INTERVAL_S": "0.5",
            "IDEOFLOW_BUDGET__PER_RUN_USD": "null",
            "IDEOFLOW_GENERATE__IN_DOUBT": "resubmit",
            "IDEOFLOW_SANDBOX__STATE": "",
            "IDEOFLOW_STORAGE__NAME_TEMPLATE": "{brand}/{image_id}.{ext}",
            "IDEOFLOW_STORAGE__OPTIONS": '{"client_kwargs": {"region_name": "eu-central-1"}}',
        }
    ).settings
    assert settings.origin == "api.ideogram.ai"
    assert settings.api.image_hosts == ("ideogram.ai", "img.example.com")
    assert (settings.api.max_in_flight, settings.api.poll_interval_s) == (4, 0.5)
    assert not settings.api.private
    assert settings.budget.per_run_usd is None
    assert settings.generate.in_doubt == "resubmit"
    assert settings.sandbox.state is None
    assert settings.storage.name_template == "{brand}/{image_id}.{ext}"
    assert settings.storage.options == {"client_kwargs": {"region_name": "eu-central-1"}}


def test_money_from_the_environment_keeps_every_digit(load: Load) -> None:
    """A cap is never passed through a binary fraction."""
    cap = load(env={"IDEOFLOW_BUDGET__PER_RUN_USD": "12345678.100001"}).settings.budget.per_run_usd
    assert cap == Decimal("12345678.100001")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("IDEOFLOW_API__IMAGE_HOSTS", "ideogram.ai", "is not JSON"),
        ("IDEOFLOW_API__IMAGE_HOSTS", '["a"', "is not JSON"),
        ("IDEOFLOW_API__IMAGE_HOSTS", "[" * 100_000, "is not JSON"),
        ("IDEOFLOW_API__IMAGE_HOSTS", "[" * 500 + "]" * 500, ""),
        ("IDEOFLOW_API__IMAGE_HOSTS", "[NaN]", "is not JSON"),
        ("IDEOFLOW_API__IMAGE_HOSTS", '"ideogram.ai"', "must be a list"),
        ("IDEOFLOW_API__MAX_IN_FLIGHT", "", "must be a whole number"),
        ("IDEOFLOW_API__MAX_IN_FLIGHT", "010", "leading zeros"),
        ("IDEOFLOW_API__MAX_IN_FLIGHT", "ten", "must be a whole number"),
        ("IDEOFLOW_BUDGET__PER_RUN_USD", "NaN", "finite"),
        ("IDEOFLOW_STORAGE__OPTIONS", '{"secret": "x"}', "a secret does not belong"),
        ("IDEOFLOW_API__BASE_URL", "", "neither `sandbox`"),
        ("IDEOFLOW_SCHEDULES__GENERATE", "0 6 * * *", "is not JSON"),
        ("IDEOFLOW_SCHEDULES__GENERATE", '{"cron": "0 6 * * *"}', "`timezone` is missing"),
        ("IDEOFLOW_API_BASE_URL", "sandbox", "Did you mean IDEOFLOW_API__BASE_URL?"),
        ("IDEOFLOW_PROJCT", "x", "Did you mean IDEOFLOW_PROJECT?"),
        ("IDEOFLOW_", "x", "They are named as in IDEOFLOW_API__BASE_URL."),
    ],
)
def test_a_wrong_variable_is_refused(name: str, value: str, says: str, load: Load) -> None:
    """A variable that sets nothing, or nonsense, is named; it is never passed over."""
    found = problems(load, env={name: value})
    assert all(problem.file == "environment" for problem in found)
    assert any(says in str(problem) for problem in found), found


@given(
    st.dictionaries(
        st.sampled_from(["api", "storage", "budget", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["assets", "options", "base_url", "per_run_usd", "key"]),
                    inner,
                    max_size=2,
                )
            ),
            max_leaves=5,
        ),
    )
)
def test_any_data_is_settings_or_problems(data: dict[str, Any]) -> None:
    """Whatever a file holds, there is no traceback."""
    try:
        validate(parse(json.dumps(data), "any.yaml"), Sections)
    except InvalidInput as invalid:
        places = [problem.line for problem in invalid.problems]
        assert min(places) >= 1


# --- the key ------------------------------------------------------------------------------------------------


def test_the_key_shows_nowhere(load: Load) -> None:
    """No way of looking at settings, loaded or dumped, shows the key."""
    loaded = load(env={"IDEOFLOW_API__BASE_URL": "https://api.ideogram.ai", "IDEOGRAM_API_KEY": KEY})
    settings = loaded.settings
    assert settings.key().get_secret_value() == KEY
    for shown in (
        repr(loaded),
        str(settings),
        repr(settings.model_dump()),
        settings.model_dump_json(),
        repr(settings.__dict__),
        repr(settings.model_copy()),
    ):
        assert KEY not in shown


def test_a_bad_key_is_not_shown_either(load: Load) -> None:
    """The complaint about a key does not print it."""
    for bad in ("has a-blank", "schlüssel", "line\nbreak"):
        (problem,) = problems(load, env={"IDEOGRAM_API_KEY": bad})
        assert bad not in str(problem)
        assert problem.key == "IDEOGRAM_API_KEY"


def test_a_real_key_never_meets_the_sandbox(load: Load) -> None:
    """With the sandbox the key is the word sandbox, whatever is exported."""
    assert load(env={"IDEOGRAM_API_KEY": KEY}).settings.key().get_secret_value() == "sandbox"


def test_without_a_key_one_may_plan_but_not_buy(load: Load) -> None:
    """Loading succeeds; asking for the key says how to give it."""
    settings = load(env={"IDEOFLOW_API__BASE_URL": "https://api.ideogram.ai", "IDEOGRAM_API_KEY": " "}).settings
    with pytest.raises(Refused, match="export IDEOGRAM_API_KEY"):
        settings.key()


# --- what settings say --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("sandbox", "sandbox"),
        ("https://api.ideogram.ai", "api.ideogram.ai"),
        ("https://API.ideogram.ai:443/", "api.ideogram.ai"),
        ("https://proxy.example.com:8443/ideogram", "proxy.example.com:8443"),
        ("http://127.0.0.1:8787", "127.0.0.1:8787"),
        ("http://localhost", "localhost"),
        ("http://[::1]:8787", "[::1]:8787"),
    ],
)
def test_origin(base_url: str, origin: str, load: Load) -> None:
    """The origin is the sandbox or the host, spelled one way: fingerprints depend on it."""
    assert load(env={"IDEOFLOW_API__BASE_URL": base_url}).settings.origin == origin


def test_places(load: Load, tmp_path: Path) -> None:
    """Addresses stay as they are, absolute paths too; relative ones start at the project."""
    settings = load().settings
    assert settings.locate("s3://bucket/x//y") == "s3://bucket/x//y"
    assert settings.locate("/srv/images") == "/srv/images"
    assert settings.locate("data/images") == str(tmp_path.resolve() / "data" / "images")


def test_settings_are_frozen(load: Load) -> None:
    """Nothing changes them once they are read."""
    settings = load().settings
    with pytest.raises(ValidationError, match="frozen"):
        settings.api.max_in_flight = 99  # type: ignore[misc]  # what must not work
