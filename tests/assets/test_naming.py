"""File names: readable for people, safe everywhere, inside the root whatever the labels hold."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.assets.naming import DEFAULT_TEMPLATE, FIELDS, asset_path, check_template, slug

IMAGE_ID = "01936b5e-7c3a-7000-8000-0123456789ab-0"
LABELS: dict[str, str | None] = {
    "brand": "helio",
    "campaign": "summer-2027",
    "prompt_id": "hero",
    "variant": "hero@language=de,format=story",
    "date": "2026-11-22",
    "image_id": IMAGE_ID,
}


def test_the_default_template_reads_well() -> None:
    """Folders by brand, campaign and prompt; the file by day, variant and image."""
    check_template(DEFAULT_TEMPLATE)
    expected = f"helio/summer-2027/hero/2026-11-22_hero_language-de_format-story_{IMAGE_ID}.png"
    assert asset_path(DEFAULT_TEMPLATE, LABELS, ext="png") == expected


def test_a_missing_label_takes_its_folder_with_it() -> None:
    """No brand and a blank campaign leave no empty folder behind."""
    path = asset_path(DEFAULT_TEMPLATE, LABELS | {"brand": None, "campaign": "  "}, ext="png")
    assert path == f"hero/2026-11-22_hero_language-de_format-story_{IMAGE_ID}.png"
    template = "all/by-{brand}/{brand}-{campaign}/{date}_{edition}_{image_id}.{ext}"
    assert asset_path(template, LABELS | {"brand": None}, ext="png") == (f"all/summer-2027/2026-11-22_{IMAGE_ID}.png")


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("hero@language=de,format=story", "hero_language-de_format-story"),
        ("Été à Köln", "Été-à-Köln"),
        ("E\u0301te\u0301", "Été"),
        ("夏のキャンペーン", "夏のキャンペーン"),
        ("हिन्दी", "हिन्दी"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "x5ec1f7e7"),
        ("C:\\Windows", "C-Windows"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("trailing. ", "trailing"),
        ("a\x00b\nc\u202ed", "a-b-c-d"),
        ("\uff21\uff22\uff11", "AB1"),
        ("v1.5_final", "v1.5_final"),
        ("50 % off!", "50-off"),
        ("", ""),
        (" \t", ""),
    ],
)
def test_labels_become_names(label: str, name: str) -> None:
    """Letters and digits of every script stay; the rest becomes one separator."""
    assert slug(label) == name


def test_labels_of_nothing_but_signs_still_tell_their_folders_apart() -> None:
    """A short digest stands for what cannot be written."""
    assert slug("🌞") != slug("🌚")
    assert len(slug("🌞")) == 9


@pytest.mark.parametrize("name", ["con", "CON", "nul", "Aux", "com1", "LPT9", "com¹", "con.txt"])
def test_names_of_windows_devices_are_escaped(name: str) -> None:
    """As a folder, with or without an ending."""
    folder, file = asset_path("{brand}/{image_id}.{ext}", {"brand": name, "image_id": "i"}, ext="png").split("/")
    assert folder.startswith("_")
    assert file == "i.png"


def test_long_labels_are_cut_but_the_image_id_never_is() -> None:
    """Each label gets its share; what is cut carries a digest, so that two long names stay two."""
    long = {"variant": "v" * 500, "campaign": "語" * 100}
    path = asset_path(DEFAULT_TEMPLATE, LABELS | long, ext="png")
    _, campaign, _, file = path.split("/")
    assert file.startswith("2026-11-22_vvvvvvv")
    assert file.endswith(f"_{IMAGE_ID}.png")
    assert len(file.encode()) <= 120
    assert len(campaign.encode()) <= 120
    other = asset_path(DEFAULT_TEMPLATE, LABELS | long | {"campaign": "語" * 101}, ext="png")
    assert other.split("/")[1] != campaign


@given(st.text(max_size=300))
def test_a_picture_and_its_record_share_their_name(variant: str) -> None:
    """Even where it had to be cut, and the endings differ in length."""
    stems = {
        asset_path(DEFAULT_TEMPLATE, LABELS | {"variant": variant}, ext=ext).removesuffix(ext)
        for ext in ("png", "json", "webp", "j")
    }
    assert len(stems) == 1


@pytest.mark.parametrize(
    ("template", "remedy"),
    [
        ("{image_id}.png", "must end in"),
        ("{image_id}", "must end in"),
        ("{ext}/{image_id}.{ext}", "must end in"),
        ("{date}.{ext}", "{image_id}"),
        ("{image_id}/{date}.{ext}", "{image_id}"),
        ("{image_id}_{image_id}.{ext}", "only once"),
        ("/abs/{image_id}.{ext}", "relative"),
        ("~/{image_id}.{ext}", "relative"),
        ("C:/x/{image_id}.{ext}", "relative"),
        ("s3://bucket/{image_id}.{ext}", "relative"),
        ("\\\\server\\{image_id}.{ext}", "relative"),
        ("a/../{image_id}.{ext}", "dotted folder"),
        ("a/./{image_id}.{ext}", "dotted folder"),
        ("a//{image_id}.{ext}", "empty"),
        ("a\\{image_id}.{ext}", "use only letters"),
        ("{{x}}/{image_id}.{ext}", "use only letters"),
        ("{prompt}/{image_id}.{ext}", "did you mean {prompt_id}?"),
        ("{zzz}/{image_id}.{ext}", "known are"),
        ("{}/{image_id}.{ext}", "unknown"),
        ("{brand.x}/{image_id}.{ext}", "unknown"),
        ("{brand!r}/{image_id}.{ext}", "bare name"),
        ("{brand:>9}/{image_id}.{ext}", "bare name"),
        ("{brand/{image_id}.{ext}", "in the template"),
        ("brand}/{image_id}.{ext}", "in the template"),
        ("--/{image_id}.{ext}", "names nothing"),
        ("a/" * 8 + "{image_id}.{ext}", "at most 8"),
        ("a" * 41 + "/{image_id}.{ext}", "too long"),
    ],
)
def test_bad_templates_are_refused_with_a_remedy(template: str, remedy: str) -> None:
    """Before anything is bought, and by the maker of paths again."""
    with pytest.raises(ValueError, match="template") as caught:
        check_template(template)
    assert remedy in str(caught.value)
    with pytest.raises(ValueError, match="template"):
        asset_path(template, LABELS, ext="png")


@pytest.mark.parametrize("ext", ["", "PNG", "a/b", "..", "tar.gz", "longer"])
def test_an_extension_is_an_extension(ext: str) -> None:
    """Nothing else ends a name."""
    with pytest.raises(ValueError, match="extension"):
        asset_path(DEFAULT_TEMPLATE, LABELS, ext=ext)


@pytest.mark.parametrize("image_id", [None, "", " "])
def test_an_image_has_an_id(image_id: str | None) -> None:
    """Names without one would collide."""
    with pytest.raises(ValueError, match="id"):
        asset_path(DEFAULT_TEMPLATE, LABELS | {"image_id": image_id}, ext="png")


NASTY = st.one_of(
    st.none(),
    st.text(max_size=200),
    st.text("./\\:~ -_@,=\x00\u202e", max_size=40),
    st.sampled_from(["..", "../..", "/", "con", "NUL.", "a" * 300, "語" * 200, "\ud800", "\u3164", "COM1.x", "ﷺ" * 50]),
)
PIECES = st.sampled_from([f"{{{name}}}" for name in sorted(FIELDS - {"image_id"})] + ["x", "-", "by_", "."])


@st.composite
def templates(draw: Any) -> str:
    folders = draw(st.lists(st.lists(PIECES, min_size=1, max_size=4).map("".join), max_size=4))
    before, after = draw(st.lists(PIECES, max_size=4)), draw(st.lists(PIECES, max_size=4))
    return "/".join([*folders, "".join([*before, "{image_id}", *after]) + ".{ext}"])


@example(DEFAULT_TEMPLATE, dict.fromkeys(FIELDS, ".."), "png")
@example(DEFAULT_TEMPLATE, dict.fromkeys(FIELDS, "語" * 200), "webp")
@given(
    st.one_of(st.just(DEFAULT_TEMPLATE), templates()),
    st.fixed_dictionaries(dict.fromkeys(sorted(FIELDS), NASTY)),
    st.sampled_from(["png", "jpg", "webp"]),
)
def test_whatever_the_labels_hold_the_path_is_safe(template: str, fields: dict[str, str | None], ext: str) -> None:
    """Inside the root, portable, bounded, in NFC, without control characters, and ending in the extension."""
    try:
        path = asset_path(template, fields, ext=ext)
    except ValueError:
        try:
            check_template(template)
        except ValueError:
            return  # the template was refused, as it would have been at validation
        assert not slug(fields["image_id"] or "")
        return
    assert path == unicodedata.normalize("NFC", path)
    assert path.endswith(f".{ext}")
    assert not set(path) & set('\\:*?"<>|~ \x7f')
    assert all(unicodedata.category(character)[0] in "LMN" or character in "-_./" for character in path)
    assert len(path.encode()) < 1024
    for segment in path.split("/"):
        assert segment not in {"", ".", ".."}
        assert segment[0] not in ".-"
        assert segment[-1] not in ". "
        assert len(segment.encode()) <= 120
        assert segment.split(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt1"}


@given(st.text(max_size=100), st.text(max_size=100))
def test_different_images_have_different_paths_even_without_case(variant: str, other: str) -> None:
    """The id decides, so that labels may be alike, and case may be lost."""
    first = asset_path(DEFAULT_TEMPLATE, LABELS | {"variant": variant}, ext="png")
    second = asset_path(DEFAULT_TEMPLATE, LABELS | {"variant": other, "image_id": IMAGE_ID[:-1] + "1"}, ext="png")
    assert first.casefold() != second.casefold()
    assert IMAGE_ID in first


@given(st.text())
def test_a_slug_of_a_slug_is_itself(text: str) -> None:
    """So a label taken from a path finds its folder again."""
    assert slug(slug(text)) == slug(text)
