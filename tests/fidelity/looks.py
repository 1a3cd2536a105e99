"""What is in a file, told by PyAV and ffmpeg: times, pictures, streams."""

import struct
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

from fidelity.clips import SIDE
from vstyle.video.ffmpeg import executable

NAMES = {1: "bt709", 5: "bt601", 6: "bt601", 9: "bt2020", 2: "-", 0: "RGB"}
CURVES = {16: " PQ", 18: " HLG"}


@dataclass(frozen=True)
class Look:
    """A file, looked at with the eyes of others."""

    path: Path

    @cached_property
    def times(self) -> list[Fraction]:
        """Return when each frame is shown, in seconds; a bare stream only counts them."""
        with av.open(str(self.path)) as container:
            video = container.streams[self._video]
            rate = video.guessed_rate  # not later: it is gone with the container
            frames = [(f.pts, f.time_base) for f in container.decode(video)]
        if any(pts is None for pts, _ in frames):
            return [Fraction(index) / rate for index in range(len(frames))]
        return [pts * base for pts, base in frames]

    @cached_property
    def tick(self) -> Fraction:
        """Return the step in which the file counts the time of its frames, in seconds."""
        with av.open(str(self.path)) as container:
            return Fraction(container.streams[self._video].time_base or 0)

    @cached_property
    def lasting(self) -> Fraction:
        """Return how long the last frame is shown, in seconds, from the end of the track."""
        with av.open(str(self.path)) as container:
            video = container.streams[self._video]
            if video.duration is not None:
                return (
                    (video.start_time or 0) * self.tick
                    + video.duration * self.tick
                    - self.times[-1]
                )
            hours, minutes, seconds = map(Fraction, video.metadata["DURATION"].split(":"))
        return hours * 3600 + minutes * 60 + seconds - self.times[-1]

    @cached_property
    def _video(self) -> int:
        """Return the index of the video that is no cover."""
        with av.open(str(self.path)) as container:
            videos = container.streams.video
            return next(s.index for s in videos if not s.disposition & Disposition.attached_pic)

    @cached_property
    def picture(self) -> str:
        """Tell size, pixel format and colour in words."""
        with av.open(str(self.path)) as container:
            stream = container.streams[self._video]
            frame = next(container.decode(self._video))
            aspect = Fraction(stream.sample_aspect_ratio or 1)
        words = [f"{frame.width}x{frame.height}", frame.format.name.replace("yuvj", "yuv")]
        words += ["interlaced"] * bool(frame.interlaced_frame)
        if not any(part.is_luma for part in frame.format.components):
            return " ".join(words)
        full = int(frame.color_range) == 2 or frame.format.name.startswith("yuvj")
        words.append(NAMES[int(frame.colorspace)] + CURVES.get(int(frame.color_trc), ""))
        if (screen := frame.side_data.get("MASTERING_DISPLAY_METADATA")) is not None:
            *_, top, bottom, _, _ = struct.unpack_from("=20i2i", bytes(screen))
            words.append(f"for {top // bottom} cd/m2")
        words += ["full"] * full + [f"pixels {aspect.numerator}:{aspect.denominator}"] * (
            aspect != 1
        )
        return " ".join(words)

    def patches(self, *filters: str) -> np.ndarray:
        """Return the middles of all patches, (frames, patches, RGBA), as ffmpeg shows them.

        Upright, in the order of reading, whatever way the picture is turned.
        """
        with av.open(str(self.path)) as container:
            frame = next(container.decode(self._video))
            turned = bool(frame.rotation % 180)
            size = (frame.width, frame.height)
            sheer = container.streams[self._video].metadata.get("alpha_mode") == "1"
        width, height = size[::-1] if turned else size
        chain = ",".join([*filters, "scale=flags=accurate_rnd+full_chroma_int+bilinear"])
        decoder = ["-c:v", "libvpx-vp9"] if sheer else []  # others leave the alpha in the file
        command = [executable(), "-loglevel", "error", "-nostdin", *decoder, "-i", self.path]
        command += ["-map", f"0:{self._video}", "-fps_mode", "passthrough", "-vf", chain]
        command += ["-f", "rawvideo", "-pix_fmt", "rgba", "-"]
        raw = subprocess.run(command, capture_output=True, check=True).stdout
        images = np.frombuffer(raw, np.uint8).reshape(-1, height, width, 4)
        down, across = (SIDE // 2 + SIDE * np.arange(side // SIDE) for side in (height, width))
        found = images[:, down[:, None], across[None]]
        return found.reshape(len(images), -1, 4).astype(int)

    @cached_property
    def streams(self) -> list[str]:
        """Name everything but the picture: codec and language, chapters, titles, attachments."""
        found = []
        with av.open(str(self.path)) as container:
            for stream in container.streams:
                if stream.type == "attachment":
                    found.append(f"{stream.metadata.get('filename')}")
                elif stream.disposition & Disposition.attached_pic:
                    found.append("cover")
                elif stream.type in {"audio", "subtitle"}:
                    language = stream.metadata.get("language", "und").replace("und", "")
                    codec = stream.codec_context.codec.canonical_name
                    found.append(f"{codec} {language}".strip())
            chapters = [chapter["metadata"].get("title", "") for chapter in container.chapters()]
            found += [f"chapters {', '.join(chapters)}"] if chapters else []
            found += [container.metadata["title"]] if "title" in container.metadata else []
        return found

    def sounds(self) -> list[list[tuple[Fraction, bytes]]]:
        """Return the packets of every sound: when each begins, in seconds, and its bytes."""
        with av.open(str(self.path)) as container:
            sounds: dict[int, list[tuple[Fraction, bytes]]] = {
                stream.index: [] for stream in container.streams.audio
            }
            for packet in container.demux():
                if packet.size and packet.stream.index in sounds:
                    time = (packet.pts or 0) * Fraction(packet.time_base or 0)
                    sounds[packet.stream.index].append((time, bytes(packet)))
        return list(sounds.values())
