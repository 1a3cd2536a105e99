"""A container taken apart: decoded frames, and the packets of other streams as they are."""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from vstyle.video.clock import Clock
from vstyle.video.damage import Damage, stated_end
from vstyle.video.window import Item, duration_of

DAMAGED = "damaged"
"""Marks a decoded frame, as its `opaque`, that is not to be trusted."""


def demux(
    container: InputContainer,
    video: VideoStream,
    decoder: VideoCodecContext,
    sounds: list[Stream],
    damage: Damage,
) -> Iterator[Item]:
    """Yield decoded frames, and the packets of `sounds` as they are, in the order of the file.

    `decoder` is the one for `video`.
    What cannot be decoded is counted as damage; frames that show it, or follow it, are marked.
    """
    streams = [video, *sounds]
    time = end = 0.0
    torn = False  # something before the next frame is lost
    begun: dict[int, int] = {}  # when the last packet of each other stream begins
    clock = Clock(container)
    packets = container.demux(*streams)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except (av.FFmpegError, IndexError):  # the latter from PyAV, of streams in a broken FLV
            damage.piece(time)
            break
        clock.correct(packet)
        if packet.stream is not video:
            if packet.pts is None and packet.dts is None:  # it only marks the end
                continue
            begin = _in_order(packet, begun)
            if begin is not None:
                end = max(end, float((begin + (packet.duration or 0)) * packet.time_base))
                yield packet
            elif not clock.again:
                damage.piece(time)
            continue
        if not packet.size and packet.dts is not None:  # Theora: the last frame stays
            continue
        try:
            frames = decoder.decode(packet)
        except av.FFmpegError:
            damage.piece(time)
            torn = True
            continue
        for frame in frames:
            time = time if frame.time is None else frame.time
            end = max(end, time + float(duration_of(frame)))
            if frame.is_corrupt:
                damage.frame(time)
            if frame.is_corrupt or torn:
                frame.opaque = DAMAGED
                torn = False
            yield frame
    damage.again = clock.again
    damage.end(end, stated_end(container, streams))


def _in_order(packet: av.Packet[Stream], begun: dict[int, int]) -> int | None:
    """Return when a packet of sound begins, in its ticks; None if it is before the last one.

    `begun` has the last one's of each stream.
    """
    begin = packet.dts if packet.pts is None else packet.pts
    assert begin is not None
    if begin < begun.get(packet.stream_index, begin):
        return None
    begun[packet.stream_index] = begin
    return begin
