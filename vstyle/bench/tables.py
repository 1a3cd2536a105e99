"""The figures as tables of words, for a terminal and for the page alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vstyle.bench.compare import CHANCE, Change
from vstyle.bench.document import Document
from vstyle.bench.records import Measures, Quality, Speed
from vstyle.bench.stopwatch import STAGES

NONE = "-"


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
        yield _stages(document)
    if any(row.reach for row in document.speed):
        yield _roofline(document)
    if document.quality:
        yield _quality(document.quality)
        yield _drift(document.quality)
    if changes:
        yield _changes(changes)


def _end_to_end(document: Document) -> Table:
    rows: list[tuple[str, ...]] = []
    sizes = dict.fromkeys(
        [floor.size for floor in document.floors] + [row.size for row in document.speed]
    )
    for size in sizes:
        for floor in document.floors:
            if floor.size == size:
                rate, spread = number(floor.fps.median), percent(floor.fps.spread)
                rest = (NONE,) * 5
                rows.append(
                    ("floor", NONE, NONE, size, rate, spread, "100 %", number(floor.cpu_ms), *rest)
                )
        rows += [_speed_row(row) for row in document.speed if row.size == size]
    heads = (
        "model", "device", "precision", "size", "fps", "spread", "of floor", "core-ms",
        "first frame ms", "start-up s", "RSS MB", "GPU MB", "W",
    )  # fmt: skip
    note = (
        "fps: end to end, the median of the runs; spread: from the slowest to the fastest. "
        "floor: the same clip decoded and encoded, not painted. core-ms: of all cores, per frame."
    )
    return Table("Speed", heads, tuple(rows), 4, note)


def _speed_row(row: Speed) -> tuple[str, ...]:
    return (
        row.model,
        row.device,
        row.precision,
        row.size,
        number(row.fps.median),
        percent(row.fps.spread),
        percent(row.floor_share),
        number(row.cpu_ms),
        number(row.first_frame_ms),
        number(row.startup_s),
        number(row.peak_rss_mb),
        number(row.gpu_memory_mb),
        number(row.watts),
    )


def _stages(document: Document) -> Table:
    rows = [
        (
            row.model,
            row.device,
            row.precision,
            row.size,
            *(_spent(row, stage) for stage in STAGES),
            number(row.network_ms.median),
        )
        for row in document.speed
    ]
    note = (
        "Median / 95th / 99th percentile. decode runs ahead in a thread of its own, wait is the "
        "time spent waiting for it; encode is the time until the encoder took the frame. "
        "network: the engine alone."
    )
    heads = ("model", "device", "precision", "size", *STAGES, "network")
    return Table("Stages, ms per frame", heads, tuple(rows), 4, note)


def _spent(row: Speed, stage: str) -> str:
    found = row.stages_ms.get(stage)
    if found is None:
        return NONE
    return " / ".join(number(value) for value in (found.median, found.p95, found.p99))


def _roofline(document: Document) -> Table:
    rows = []
    for row in document.speed:
        if row.reach is None:
            continue
        rows.append(
            (
                row.model,
                row.device,
                row.precision,
                row.size,
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
        rates = [f"{number(rate)} in {kind}" for kind, rate in roof.matrix_gflop_s.items()]
        products = f"multiplies matrices at {', '.join(rates)} GFLOP/s"
        tops.append(f"{roof.device} copies {number(roof.copy_gb_s)} GB/s and {products}")
    heads = (
        "model", "device", "precision", "size", "GFLOP", "GFLOP/s", "of matrix rate", "MB", "GB/s",
        "of copy rate",
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
    ("of source", "e_warp_ratio"),
    ("tRMSE", "trmse"),
    ("tRMSE 10", "trmse_long"),
    ("source", "source_trmse"),
    ("source 10", "source_trmse_long"),
)


def _quality(found: Sequence[Quality]) -> Table:
    rows = []
    for row in found:
        rows.append((row.model, row.device, row.precision, "mean", "", *_values(row.mean)))
        rows += [
            (row.model, row.device, row.precision, pair.clip, pair.style, *_values(pair.measures))
            for pair in row.pairs
        ]
    note = (
        "style, gram: distance to the painting's over the unpainted frame's (1: no nearer than the "
        "photo). content: distance of shapes. detail: sharpness over the source's. E_warp, tRMSE: "
        "along the source's motion, one and ten frames apart. Higher is better for SSIM; for the "
        "others, lower."
    )
    if not all(row.vgg for row in found):
        note += " Without --vgg there is no style, and steadiness alone says nothing of a model."
    heads = ("model", "device", "precision", "clip", "style of", *(head for head, _ in _MEASURES))
    return Table("Quality", heads, tuple(rows), 5, note)


def _values(measures: Measures) -> tuple[str, ...]:
    return tuple(fine(getattr(measures, name)) for _, name in _MEASURES)


def _drift(found: Sequence[Quality]) -> Table:
    rows = [
        (row.model, each.style, str(each.frames), fine(each.colour), fine(each.sharpness))
        for row in found
        for each in row.drifts
    ]
    heads = ("model", "style of", "frames", "colour moved", "sharpness")
    note = "A still picture, held: the last frame against the tenth. Best: 0 and 1."
    return Table("Drift", heads, tuple(rows), 2, note)


def _changes(changes: Sequence[Change]) -> Table:
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
