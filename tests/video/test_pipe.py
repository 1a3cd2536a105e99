"""What is sent to ffmpeg of frames that a damaged file has."""

from dataclasses import replace
from io import BytesIO
from itertools import islice
from pathlib import Path

import av
import pytest

from vstyle.scene import Scene, write_clip
from vstyle.video.decode import open_clip
from vstyle.video.pipe import Pipe
from vstyle.video.stylize import frames_of


@pytest.mark.parametrize("duration", [2**61, 2**63 - 1, -(2**63)])
def test_a_last_frame_that_is_shown_for_ever_is_sent(tmp_path: Path, duration: int) -> None:
    """Its end is beyond what can be counted, and is left out; found by the fuzzer."""
    write_clip(Scene(64, 48, frames=5), tmp_path / "scene.mp4")
    sent: list[bytes] = []
    with open_clip(tmp_path / "scene.mp4") as source:
        pipe = Pipe(source, [], False, sent.append, ends=True)
        *others, last = islice(frames_of(source.items, pipe.packet), 5)
        for frame in [*others, replace(last, duration=duration)]:
            pipe.frame(frame)
        pipe.close()
    with av.open(BytesIO(b"".join(sent))) as found:
        assert sum(packet.size > 1 for packet in found.demux(video=0)) == 5
