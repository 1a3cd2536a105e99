"""The clips of the page, as data."""

from fidelity.clips import LATE, TURNS, Case

AAC = ("aac eng",)
EVERYTHING = ("aac eng", "aac fra", "subrip eng", "chapters")

CASES = [
    # Containers and codecs.
    Case("mp4", streams=AAC),
    Case("mp4", traits=("B-frames",), streams=AAC),
    Case("mp4", traits=("fragmented",), streams=AAC),
    Case("mov", streams=AAC),
    Case("mkv", streams=AAC),
    Case("ts", traits=("B-frames",), streams=AAC),
    Case("avi", "mpeg4", "yuv420p", "30000/1001", "untagged", ("mp3",), options="--codec ffv1"),
    Case("webm", "libvpx-vp9", streams=("opus",)),
    Case("nut", "ffv1", "bgr0", colour="RGB", streams=("pcm_s16le",), options="--codec ffv1"),
]
CASES += [Case("mp4", traits=(turn,), streams=AAC) for turn in list(TURNS)[:3]]
CASES += [
    Case("mkv", "libx264", colour=colour, out="mp4")
    for colour in ("bt601", "bt601 full", "bt709", "bt709 full", "bt2020", "bt2020 full")
]
# Times.
CASES += [
    Case("mp4", rate=rate, streams=AAC, out=out)
    for rate in ("30000/1001", "24000/1001", "50")
    for out in ("mp4", "mkv")
]
CASES += [
    Case("mp4", traits=("variable rate",), streams=AAC),
    Case("mkv", traits=("variable rate", "B-frames"), streams=AAC, out="mp4"),
    Case("mkv", traits=(LATE,), streams=AAC),
    Case("mkv", traits=(LATE,), streams=AAC, out="mp4"),
    Case("ts", traits=("from 1 h on",), streams=AAC, out="mp4"),
]
# Streams.
CASES += [Case("mkv", streams=EVERYTHING, out=out) for out in ("mp4", "mov", "mkv")]
