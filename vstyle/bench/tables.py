"""The figures as tables of words, for a terminal and for the page alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vstyle.bench.compare import CHANCE, Change
from vstyle.bench.document import Document
from vstyle.bench.records import Floor, Measures, Quality, Speed
from vstyle.bench.stopwatch import STAGES

NONE = "-"
NAMES = "model", "device", "precision", "size"  # heads of what tells a row from another


@dataclass(frozen=True)
class Table:
    """A title, the heads of the columns, the rows, and what to know to read it."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int  # of the columns, so many from the left hold words; the others numbers
    note: str = ""


def tables(document: Document, changes: Sequence[Change] = ()) -> Iterator[Table]:
    """Yield the tables that a document has rows for."""
    if document.speed or document.floors:
        yield _end_to_end(document)
    if document.speed:
        yield _stages(document)
        yield _cost(document)
    if any(row.reach for row in document.speed):
        yield _roofline(document)
    if document.quality:
        yield _quality(document.quality)
        yield _pairs(document.quality)
        yield _drift(document.quality)
    if changes:
        yield compared(changes)


def _end_to_end(document: Document) -> Table:
    rows: list[tuple[str, ...]] = []
    sizes = dict.fromkeys(
        [floor.size for floor in document.floors] + [row.size for row in document.speed]
    )
    for size in sizes:
        rows += [
            ("floor", NONE, NONE, size, *_rate(floor), percent(1.0), number(floor.cpu_ms))
            for floor in document.floors
            if floor.size == size
        ]
        rows += [
            (*_names(row), *_rate(row), percent(row.floor_share), number(row.cpu_ms))
            for row in document.speed
            if row.size == size
        ]
    heads = (*NAMES, "fps", "spread", "of floor", "core-ms")
    note = (
        "fps: end to end, the median of the runs; spread: from the slowest to the fastest. "
        "floor: the same clip decoded and encoded, not painted. core-ms: of all cores, per frame."
    )
    return Table("Speed", heads, tuple(rows), 4, note)


def _names(row: Speed) -> tuple[str, ...]:
    return row.model, row.device, row.precision, row.size


def _rate(row: Speed | Floor) -> tuple[str, ...]:
    return number(row.fps.median), percent(row.fps.spread)


def _cost(document: Document) -> Table:
    rows = [
        (
            *_names(row),
            number(row.startup_s),
            number(row.first_frame_ms),
            number(row.peak_rss_mb),
            number(row.gpu_memory_mb),
            number(row.watts),
        )
        for row in document.speed
    ]
    heads = ("start-up s", "first ms", "RSS MB", "GPU MB", "W")
    note = (
        "start-up: from the command to a model that is ready; first: from then to a painted frame. "
        "RSS, GPU: the most memory held by the painting process. W: while painting."
    )
    return Table("Start and memory", (*NAMES, *heads), tuple(rows), 4, note)


def _stages(document: Document) -> Table:
    rows: list[tuple[str, ...]] = []
    for row in document.speed:
        for stage in STAGES:
            if spent := row.stages_ms.get(stage):
                times = (spent.median, spent.p95, spent.p99)
                rows.append((*_names(row), stage, *map(number, times)))
        rows.append((*_names(row), "network", number(row.network_ms.median), NONE, NONE))
    note = (
        "decode, flow and ready (relief, strokes, trust) run ahead in a thread; wait (for it), "
        "carry and paint in another; idle (waiting for that one), grade and encode (until the "
        "encoder took the frame) in a third. network: the engine alone, over and over."
    )
    heads = (*NAMES, "stage", "median", "95 %", "99 %")
    return Table("Stages, ms per frame", heads, tuple(rows), 5, note)


def _roofline(document: Document) -> Table:
    rows = []
    for row in document.speed:
        if row.reach is None:
            continue
        rows.append(
            (
                *_names(row),
                number(row.reach.gflop),
                number(row.reach.gflop_s),
                percent(row.reach.matrix_share),
                number(row.reach.mbytes),
                number(row.reach.gb_s),
                percent(row.reach.copy_share),
            )
        )
    tops = []
    for roof in document.roofs:
        rates = [f"{number(rate)} GFLOP/s ({kind})" for kind, rate in roof.matrix_gflop_s.items()]
        products = f"multiplies matrices at {', '.join(rates) or NONE}"
        tops.append(f"{roof.device} copies {number(roof.copy_gb_s)} GB/s and {products}")
    heads = (*NAMES, "GFLOP", "GFLOP/s", "of matmul", "MB", "GB/s",
        "of copy",
    )  # fmt: skip
    note = "The network alone, per frame, against what the device was measured to do: "
    return Table("Roofline", heads, tuple(rows), 4, note + "; ".join(tops) + ".")


_MEASURES = (
    ("style", "style"),
    ("gram", "gram"),
    ("content", "content"),
    ("SSIM", "ssim"),
    ("detail", "detail"),
    ("E_warp", "e_warp"),
    ("E_warp over source's", "e_warp_ratio"),
    ("tRMSE", "trmse"),
    ("tRMSE, 10 frames", "trmse_long"),
)
_OF_PAIRS = ("style", "gram", "content", "ssim", "e_warp", "trmse", "trmse_long")


def _quality(found: Sequence[Quality]) -> Table:
    """Return the means, models side by side, and what the unpainted clips have."""
    rows = [
        (head, *(fine(getattr(row.mean, name)) for row in found), _of_source(found[0].mean, name))
        for head, name in _MEASURES
    ]
    note = (
        "style, gram: distance to the painting's over the unpainted frame's (1: no nearer than the "
        "photo). content: distance of shapes. detail: sharpness over the source's. E_warp, tRMSE: "
        "along the source's motion. Higher is better for SSIM; for the others, lower."
    )
    if not all(row.vgg for row in found):
        note += " Without --vgg there is no style, and steadiness alone says nothing of a model."
    models = (f"{row.model}, {row.device} {row.precision}" for row in found)
    return Table("Quality, means", ("measure", *models, "source"), tuple(rows), 1, note)


def _of_source(measures: Measures, name: str) -> str:
    """Return what the unpainted clips have of a measure."""
    return fine(getattr(measures, f"source_{name}", None))


def _pairs(found: Sequence[Quality]) -> Table:
    rows = [
        (
            row.model,
            pair.clip,
            pair.style,
            "exact" if pair.exact else "DIS",
            *(number(getattr(pair.measures, name)) for name in _OF_PAIRS),
        )
        for row in found
        for pair in row.pairs
    ]
    measures = (head for head, name in _MEASURES if name in _OF_PAIRS)
    heads = ("model", "clip", "style of", "motion", *measures)
    return Table("Quality, every clip in every style", heads, tuple(rows), 4)


def _drift(found: Sequence[Quality]) -> Table:
    rows = [
        (row.model, each.style, str(each.frames), fine(each.colour), fine(each.sharpness))
        for row in found
        for each in row.drifts
    ]
    heads = ("model", "style of", "frames", "colour moved", "sharpness")
    note = "A still picture, held: the last frame against the tenth. Best: 0 and 1."
    return Table("Drift", heads, tuple(rows), 2, note)


def compared(changes: Sequence[Change]) -> Table:
    """Return what changed since an earlier document."""
    rows = [
        (
            change.row,
            change.measure,
            fine(change.old),
            fine(change.new),
            f"{change.share:+.1%}",
            NONE if change.p is None else f"{change.p:.3f}",
            _verdict(change),
        )
        for change in changes
    ]
    heads = ("row", "measure", "old", "new", "change", "p", "verdict")
    note = f"p: how often chance alone brings as large a change; significant up to {CHANCE}."
    return Table("Compared", heads, tuple(rows), 2, note)


def _verdict(change: Change) -> str:
    if change.regression:
        return "REGRESSION"
    if change.p is None or change.p > CHANCE:
        return "not significant" if change.p is not None else "one value, not tested"
    return "worse, within tolerance" if change.worse else "better"


def number(value: float | None) -> str:
    """Return a number with three digits that count."""
    if value is None:
        return NONE
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def fine(value: float | None) -> str:
    """Return a number with four digits that count."""
    return NONE if value is None else f"{value:.4g}"


def percent(value: float | None) -> str:
    """Return a share in percent."""
    return NONE if value is None else f"{value:.0%}".replace("%", " %")
