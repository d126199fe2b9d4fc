"""The API: whether it answers and takes the key, by its free dry run; and its clock. Buys nothing."""

from __future__ import annotations

from datetime import datetime

from flows.doctor import verdicts
from flows.doctor.check import Check, bad, odd, ok, skipped
from flows.doctor.storages import apart
from flows.errors import ApiTrouble, UserError
from flows.ideogram.catalogue import CATALOGUE, request_body
from flows.ideogram.money import PriceQuote, read_quote
from flows.workspace import Workspace

MODEL = "ideogram-4-5"
KEY = "key"
CLOCK = "clock (API)"


async def ask(ws: Workspace) -> list[Check]:
    """What the API says to a request for a price."""
    settings = ws.settings
    if settings.api_key is None:
        return [
            bad(KEY, f"there is no key for {settings.origin}", "export IDEOGRAM_API_KEY (it is shown when it is made)"),
            skipped(CLOCK, "the API was not asked"),
        ]
    endpoint = CATALOGUE[MODEL]
    body = request_body(endpoint, prompt="a dot", options={}, seed=None, images=1, private=True)
    try:
        async with ws.client() as client:
            before = ws.now()
            answer = await client.quote(endpoint.path, body)
            after = ws.now()
    except UserError as error:
        return [bad(KEY, str(error), "copy it once more; it is shown only when it is made")]
    except ApiTrouble as trouble:
        remedy = "check network, proxy (HTTPS_PROXY) and api.base_url"
        return [bad(KEY, f"{settings.origin} cannot be asked: {trouble}", remedy), skipped(CLOCK, "nobody answered")]
    return [accepted(settings.origin, answer.status, answer.body), _clock(before, answer.server_time, after)]


def accepted(origin: str, status: int, body: bytes) -> Check:
    """What the answer to a dry run says about the key. Pure."""
    quote = read_quote(status, body)
    if isinstance(quote, PriceQuote):
        if origin == "sandbox":
            return ok(KEY, "the offline sandbox answers and needs none; real pictures need one (--config production)")
        return ok(KEY, f"{origin} takes it (asked with a free dry run)")
    if status == 401:
        return bad(KEY, f"{origin} refuses it", "check IDEOGRAM_API_KEY: copied whole, not revoked, of this account")
    if status == 403:
        return bad(KEY, f"{origin} knows it and forbids this ({quote.why})", "ask whoever manages the account's keys")
    if status == 402:
        return bad(KEY, f"{origin} takes it, but the account has no funds", "add funds on the vendor's site")
    if quote.ran:
        return bad(KEY, f"{origin} made a picture where a price was asked for", "report this: nothing should be billed")
    return odd(KEY, f"{origin} gave no price ({quote.why})", "try again in a minute; `ideoflow plan --quote` asks too")


def _clock(before: datetime, theirs: datetime | None, after: datetime) -> Check:
    if theirs is None:
        return skipped(CLOCK, "the API does not say what time it is")
    return verdicts.clock(CLOCK, apart(before, theirs, after), "the API's")
