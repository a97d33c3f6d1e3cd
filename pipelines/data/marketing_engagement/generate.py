"""Make the sample data of the marketing_engagement pipeline. The same seed gives the same bytes.

    python pipelines/data/marketing_engagement/generate.py
    python pipelines/data/marketing_engagement/generate.py --customers 200000 --events 1000000 --out /tmp/big

The files hold what real exports hold: quoted commas and newlines, accents, empty cells, columns in another order, a
byte order mark with Windows line endings, regions that nobody knows, broken e-mail addresses, events that arrive
weeks late, come twice, come from a clock that runs ahead, or belong to nobody. Rows are written as they are made, so
any size fits in memory. Only ``random()`` and ``getrandbits()`` are used, whose sequences Python keeps across versions.
"""

# ruff: noqa: SIM905 - word lists read better as text

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TextIO

HERE = Path(__file__).resolve().parent
FIRST_ID = 1001
FIRST_SIGNUP = date(2019, 1, 1)
SIGNUP_DAYS = (date(2024, 6, 25) - FIRST_SIGNUP).days

COLUMNS = (
    "customer_id first_name last_name email age gender address city country region income_band signup_date".split()
)
OTHER_ORDER = (
    "signup_date region customer_id email last_name first_name country city address gender age income_band".split()
)

FIRST_NAMES = (
    "Anna Ben Chloé David Élodie Frank Grace Håkon Inés José Karim Łucja Maria Noah Olga Pavel Quentin Renée Søren "
    "Tomáš Uma Věra Wei Ximena Yusuf Zoë Amélie Björn Şebnem Lucía"
).split()
LAST_NAMES = (
    "Andersson,Brown,Čapek,D'Angelo,Évrard,Fischer,García,Hansen,Ivanova,Jones,Kowalska,Lefèvre,Müller,Núñez,O'Neill,"
    'Peeters,Quist,Rossi,Smith,Tanaka,Öztürk,van der Berg,Weiß,Xu,Young,Żak,"Bud" Miller,Saint-Exupéry'
).split(",")
PLACES = (
    ("Stockholm", "Sweden", "North"),
    ("Tromsø", "Norway", "North"),
    ("København", "Denmark", "North"),
    ("Sevilla", "Spain", "South"),
    ("Napoli", "Italy", "South"),
    ("Coimbra", "Portugal", "South"),
    ("Kraków", "Poland", "East"),
    ("Brno", "Czechia", "East"),
    ("Győr", "Hungary", "East"),
    ("Lyon", "France", "West"),
    ("Liège", "Belgium", "West"),
    ("Galway", "Ireland", "West"),
)
STREETS = ("Rue de l'Église", "Hauptstraße", "Calle Mayor", "Via Roma", "Station Road", "Długa", "Kungsgatan")
ODD_REGIONS = ("Central", "Nroth", "n/a", "", "")
GENDERS = ("female", "male", "female", "male", "female", "male", "other", "")
INCOME_BANDS = ("low", "lower middle", "upper middle", "high", "")


class Period(NamedTuple):
    """One file of events: its span, its share of all events, and the share of customers who had signed up by then."""

    file: str
    start: datetime
    days: int
    share: float
    signed_up: float


# The largest is compressed, to keep the repository small.
PERIODS = (
    Period("events-2024-04.json", datetime(2024, 4, 1, tzinfo=UTC), 30, 0.14, 0.945),
    Period("events-2024-05.json.gz", datetime(2024, 5, 1, tzinfo=UTC), 31, 0.60, 0.96),
    Period("events-2024-06.jsonl", datetime(2024, 6, 1, tzinfo=UTC), 29, 0.26, 0.977),
)

# A session is a walk: from each event type to one of these, where the number of mentions is the weight.
NEXT = {
    "page_view": "page_view page_view search search product_view product_view product_view".split(),
    "search": "product_view product_view product_view search page_view".split(),
    "product_view": "product_view product_view page_view search add_to_cart".split(),
    "add_to_cart": "product_view page_view add_to_cart purchase purchase".split(),
    "purchase": "page_view page_view product_view".split(),
    "email_click": "page_view product_view product_view".split(),
}
STARTS = "page_view page_view page_view search email_click".split()
PRODUCTS = "tent-2p;müsli-bio;café-crème, 500g;lamp;boots;rain-jacket;mug;notebook;socks;pan".split(";")
DEVICES = (
    '{"type": "mobile", "os": "iOS", "app_version": "5.2.1"}',
    '{"type": "mobile", "os": "Android", "app_version": "5.1.0"}',
    '{"type": "desktop", "os": "Windows"}',
    '{"type": "desktop", "os": "macOS"}',
    '{"type": "tablet", "os": "iPadOS", "app_version": "5.2.1"}',
)


def _pages() -> dict[str, list[str]]:
    """JSON texts of the URLs that an event of each type can have."""
    products = [f"/products/{name}" for name in PRODUCTS]
    paths = {
        "page_view": ["/", "/sale", "/about", "/blog/été-2024", "/account", "/blog?page=2", "/stores"],
        "search": ["/search?q=tent", "/search?q=a,b", '/search?q="exact match"', "/search?q=%C3%A9t%C3%A9", "/search"],
        "product_view": [*products, *(f"{path}?color=red&size=M" for path in products)],
        "add_to_cart": [f"{path}/cart" for path in products],
        "purchase": ["/checkout/thanks", "/checkout/thanks?gift=1"],
        "email_click": ["/?utm_source=email&utm_campaign=june", "/sale?utm_source=email&utm_campaign=spring"],
    }
    return {
        kind: [json.dumps(f"https://shop.example.com{path}", ensure_ascii="été" in path) for path in choices]
        for kind, choices in paths.items()
    }


def customers(count: int, random: Random) -> Iterator[dict[str, Any]]:
    """Customers in order of their id, which is roughly the order in which they signed up."""
    pick = _picker(random)
    for index in range(count):
        first, last = pick(FIRST_NAMES), pick(LAST_NAMES)
        city, country, region = pick(PLACES)
        signup = FIRST_SIGNUP + timedelta(days=max(0, int(SIGNUP_DAYS * index / count) - int(30 * random.random())))
        yield {
            "customer_id": FIRST_ID + index,
            "first_name": first,
            "last_name": last,
            "email": _email(first, last, index, random),
            "age": int(18 + 62 * random.random()) if random.random() > 0.04 else "",
            "gender": pick(GENDERS),
            "address": _address(city, random),
            "city": city,
            "country": country,
            "region": region if random.random() > 0.015 else pick(ODD_REGIONS),
            "income_band": pick(INCOME_BANDS),
            "signup_date": signup.strftime("%Y/%m/%d"),
        }


def _picker(random: Random) -> Callable[[Any], Any]:
    return lambda choices: choices[int(len(choices) * random.random())]


def _email(first: str, last: str, index: int, random: Random) -> str:
    name = "".join(letter for letter in f"{first}.{last}" if letter.isascii() and (letter.isalpha() or letter == "."))
    address = f"{name}{index}@example.{('com', 'org', 'net')[index % 3]}"
    fate = random.random()
    if fate < 0.02:
        return ""
    if fate < 0.03:
        return address.replace("@", " at ")
    return address if fate < 0.1 else address.lower()


def _address(city: str, random: Random) -> str:
    pick = _picker(random)
    street = f"{pick(STREETS)} {int(1 + 200 * random.random())}"
    fate = random.random()
    if fate < 0.05:
        return ""
    if fate < 0.3:
        return f'{street}, apt. {int(1 + 40 * random.random())}\n{city}, "{pick(("main", "back"))} entrance"'
    return f"{street}, {city}" if fate < 0.6 else street


def write_customers(count: int, folder: Path, random: Random) -> None:
    """Write four CSV files: plain ones, one with its columns in another order, one as Windows saves it."""
    rows = customers(count, random)
    for number in range(1, 5):
        share = count * number // 4 - count * (number - 1) // 4
        columns = OTHER_ORDER if number == 3 else COLUMNS
        windows = number == 4
        path = folder / f"customers-{number:02}.csv"
        with path.open("w", encoding="utf-8-sig" if windows else "utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\r\n" if windows else "\n")
            writer.writeheader()
            writer.writerows(next(rows) for _ in range(share))


def events(count: int, people: int, period: Period, random: Random, first: int) -> Iterator[str]:
    """Events as JSON documents, in sessions; a few of them come a second time."""
    pages, made, again = _pages(), 0, ""
    while made < count:
        for event in _session(made / count, people, period, pages, random):
            if again and random.random() < 0.02:
                yield again
                again, made = "", made + 1
            elif made < count:
                line = f'{{"event_id": "{first + made:08x}-{random.getrandbits(32):08x}", {event}}}'
                yield line
                made += 1
                again = line if random.random() < 0.0004 else again
            if made == count:
                return


def _session(at: float, people: int, period: Period, pages: dict[str, list[str]], random: Random) -> Iterator[str]:
    draw = random.random
    user = _user(people, period, draw)
    moment = _start(at, period, draw)
    zone = 2 if draw() < 0.03 else 0
    device = DEVICES[int(len(DEVICES) * draw())] if draw() > 0.01 else ""
    extra = f', "device": {device}' if device else ""
    extra += f', "experiment": {{"name": "checkout", "arm": "{"ab"[int(2 * draw())]}"}}' if draw() < 0.2 else ""
    kind = STARTS[int(len(STARTS) * draw())]
    for _ in range(int(1 + 13 * draw() * draw())):
        stamp = _stamp(moment, zone)
        page = pages[kind][int(len(pages[kind]) * draw())]
        what = f'"event_type": "{kind}", "page_url": {page}{_spent(draw)}{extra}'
        yield f'"timestamp": "{stamp}", "user_id": {user}, {what}'
        moment += int(1500 + 240_000 * draw() * draw())
        kind = NEXT[kind][int(len(NEXT[kind]) * draw())]


def _user(people: int, period: Period, draw: Callable[[], float]) -> str:
    """A customer, the long-standing ones more often, every 17th never; or nobody we know."""
    fate = draw()
    if fate < 0.015:
        return "null"
    if fate < 0.025:
        return str(9_000_000 + int(500 * draw()))
    share = draw()
    index = int(share * share * people * period.signed_up)
    return str(FIRST_ID + (index if index % 17 else min(index + 1, people - 1)))


def _start(at: float, period: Period, draw: Callable[[], float]) -> int:
    """Milliseconds since 1970. Roughly in order; some sessions arrive weeks late, some clocks run years ahead."""
    days = at * period.days + 0.8 * draw()
    fate = draw()
    if fate < 0.006:
        days -= 2 + 18 * draw()
    elif fate < 0.0065:
        days += 2000
    return int((period.start.timestamp() + days * 86_400) * 1000)


def _stamp(moment: int, zone: int) -> str:
    seconds, millis = divmod(moment, 1000)
    local = datetime.fromtimestamp(seconds + zone * 3600, UTC)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{millis:03}{'+02:00' if zone else 'Z'}"


def _spent(draw: Callable[[], float]) -> str:
    fate = draw()
    if fate < 0.006:
        return ""
    return ', "duration_ms": null' if fate < 0.01 else f', "duration_ms": {int(200 + 90_000 * fate * draw() * draw())}'


@contextmanager
def _open(path: Path) -> Iterator[TextIO]:
    """A text file; compressed by its suffix, without the time and the name that gzip would put into it."""
    if path.suffix != ".gz":
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        return
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as file,
    ):
        yield file


def write_events(count: int, people: int, folder: Path, random: Random, *, lines_only: bool) -> None:
    """Write one file a month: a JSON array, compressed JSON lines, JSON lines. Or JSON lines only."""
    done, share = 0, 0.0
    for period in PERIODS:
        share += period.share
        wanted = round(count * share) - done
        name = f"{period.file.split('.')[0]}.jsonl" if lines_only else period.file
        opened: AbstractContextManager[TextIO] = _open(folder / name)
        with opened as file:
            _write(file, events(wanted, people, period, random, done), array=name.endswith(".json"))
        done += wanted


def _write(file: TextIO, documents: Iterator[str], *, array: bool) -> None:
    if array:
        file.write("[\n" + next(documents, ""))
        file.writelines(f",\n{document}" for document in documents)
        file.write("\n]\n")
    else:
        file.writelines(f"{document}\n" for document in documents)


def generate(
    out: Path, count: int = 2_000, event_count: int = 50_000, seed: int = 42, *, lines_only: bool = False
) -> None:
    """Write ``customers/`` and ``clickstream/`` below ``out``; files of an earlier call are replaced."""
    for name in ("customers", "clickstream"):
        (out / name).mkdir(parents=True, exist_ok=True)
    write_customers(count, out / "customers", Random(seed))
    write_events(event_count, count, out / "clickstream", Random(seed + 1), lines_only=lines_only)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--customers", type=int, default=2_000)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--out", type=Path, default=HERE, help="folder for customers/ and clickstream/")
    parser.add_argument("--lines-only", action="store_true", help="all events as plain JSON lines, for benchmarks")
    given = parser.parse_args()
    if given.customers < 1 or given.events < 0:
        parser.error("at least one customer, and no negative number of events")
    generate(given.out, given.customers, given.events, given.seed, lines_only=given.lines_only)


if __name__ == "__main__":
    main()
