"""The clips of the page, as data."""

from fidelity.clips import LATE, LONG, SHEER, TURNS, Case

AAC = ("aac eng",)
FFV1, TEN = "--codec ffv1", "--pix-fmt yuv420p10le"
MATRICES = ("bt601", "bt601 full", "bt709", "bt709 full", "bt2020", "bt2020 full")
EVERYTHING = ("aac eng", "aac fra", "subrip eng", "chapters")

CASES = [
    # Containers and codecs.
    Case("mp4", streams=AAC),
    Case("mp4", traits=("B-frames",), streams=AAC),
    Case("mp4", traits=("fragmented",), streams=AAC),
    Case("mp4", "libx265", streams=AAC, slow=True),
    Case("mp4", "libsvtav1", streams=AAC, slow=True),
    Case("m4v", streams=AAC, slow=True),
    Case("mov", streams=AAC),
    Case("mov", "prores_ks", "yuv422p10le", options="--codec prores_ks"),
    Case("mov", "mjpeg", "yuvj420p", colour="bt601 full", out="mp4"),
    Case("mkv", streams=AAC),
    Case("mkv", out="mp4", options="--codec libx265 --crf 1", slow=True),
    Case("ts", traits=("B-frames",), streams=AAC),
    Case("ts", "mpeg2video", streams=("mp2",), out="mkv"),
    Case("mpg", "mpeg2video", colour="bt601", streams=("mp2",), out="mp4"),
    Case("avi", "mpeg4", rate="30000/1001", colour="untagged", streams=("mp3",), options=FFV1),
    Case("webm", "libvpx-vp9", streams=("opus",)),
    Case("webm", "libvpx", colour="bt601", streams=("vorbis",)),
    Case("webm", "libvpx", colour="bt601", options="--codec libvpx --crf 4"),
    Case("nut", "ffv1", "bgr0", colour="RGB", streams=("pcm_s16le",), options=FFV1),
    Case("gif", "gif", "pal8", colour="RGB", out="mp4"),
    Case("gif", "gif", "pal8", colour="RGB"),
    Case("mp4", out="gif", options=""),
    Case("h264", colour="bt709", out="mp4"),
    Case("y4m", "rawvideo", colour="untagged", out="mp4"),
    # Which way up.
    *(Case("mp4", traits=(turn,), streams=AAC, slow="," not in turn) for turn in TURNS),
    Case("mov", traits=("turned 90", "pixels 4:3"), streams=AAC),
    # Colour, sizes and pixels.
    *(
        Case("mkv", encoder, pixels, colour=colour, out="mp4", options=options, slow=slow)
        for colour in MATRICES
        for encoder, pixels, options, slow in (
            ("libx264", "yuv420p", "--crf 1", False),
            ("libx265", "yuv420p10le", f"--codec libx265 {TEN} --crf 1", True),
        )
    ),
    Case("mkv", "libx265", "yuv420p10le", out="mp4", slow=True),
    Case("mkv", "libx264", "yuv422p10le", out="mov", options="--codec prores_ks", slow=True),
    Case("mkv", "libx264", "yuv444p", options="--pix-fmt yuv444p --crf 1"),
    Case("mkv", "libvpx-vp9", "yuv420p10le", out="webm", options=f"{TEN} --crf 1"),
    Case("mkv", "libx265", "yuv420p10le", colour="PQ", out="mp4", options=f"{TEN} --crf 1"),
    *(
        Case(
            "mkv",
            "libx265",
            "yuv420p10le",
            colour="PQ",
            traits=("mastered for 1000 cd/m2",),
            out=out,
            options=options,
            slow=out != "mp4",
        )
        for out, options in (
            ("mp4", f"{TEN} --crf 1"),
            ("webm", f"{TEN} --crf 1"),
            ("nut", f"{TEN} --crf 1"),
            ("nut", f"{FFV1} --pix-fmt gbrp16le"),
        )
    ),
    Case(
        "mkv",
        "libx265",
        "yuv420p10le",
        colour="HLG",
        out="mp4",
        options=f"{TEN} --crf 1",
        slow=True,
    ),
    Case("mp4", traits=("pixels 4:3",), streams=AAC),
    Case("mkv", "libx264", "yuv444p", size=(65, 49), options="--pix-fmt yuv444p --crf 1"),
    Case("mkv", "libvpx-vp9", "yuv420p", size=(65, 49), out="webm"),
    Case("mkv", "libx264", "yuv444p", size=(65, 49), out="mp4"),
    Case("mkv", "ffv1", "bgr0", colour="RGB", size=(67, 51), options=FFV1),
    # Interlaced, transparent.
    Case("mp4", traits=("interlaced",), out="mkv", options=FFV1),
    Case("mp4", traits=("interlaced",), out="mkv", options=f"{FFV1} --deinterlace off"),
    Case("mkv", "ffv1", "bgra", colour="RGB", traits=(SHEER,), options=FFV1),
    Case("mkv", "ffv1", "bgra", colour="RGB", traits=(SHEER,), out="webm"),
    Case("mov", "png", "rgba", colour="RGB", traits=(SHEER,), options="--codec prores_ks"),
    Case("mov", "prores_ks", "yuva444p10le", traits=(SHEER,), options="--codec prores_ks"),
    Case("webm", "libvpx-vp9", "yuva420p", traits=(SHEER,)),
    # Times.
    *(
        Case("mp4", rate=rate, streams=AAC, out=out, slow=rate != "30000/1001")
        for rate in ("30000/1001", "24000/1001", "50")
        for out in ("mp4", "mkv")
    ),
    Case("mp4", traits=("variable rate",), streams=AAC),
    Case("mp4", traits=("variable rate",), streams=AAC, out="webm", slow=True),
    Case("mkv", traits=("variable rate", "B-frames"), streams=AAC, out="mp4"),
    Case("mp4", traits=("variable rate", LONG)),
    Case("mp4", traits=("variable rate", LONG), streams=AAC, out="mkv"),
    Case("mkv", traits=("variable rate", LONG), out="webm", slow=True),
    Case("mov", traits=(LONG,), options=FFV1, out="mkv", slow=True),
    Case("gif", "gif", "pal8", colour="RGB", traits=(LONG,), out="mp4"),
    Case("mkv", traits=(LATE,), streams=AAC),
    Case("mkv", traits=(LATE,), streams=AAC, out="mp4"),
    Case("mkv", traits=(LATE, "B-frames"), rate="30000/1001", streams=AAC, out="mov"),
    Case("ts", traits=("from 1 h on",), streams=AAC, out="mp4"),
    Case("ts", traits=("from 1 h on", "B-frames"), streams=("ac3",), out="mkv"),
    # Streams.
    *(
        Case("mkv", streams=EVERYTHING, out=out, slow=out in {"mov", "webm"})
        for out in ("mp4", "mov", "mkv", "webm", "ts")
    ),
    Case("mkv", streams=EVERYTHING, options="--no-audio --crf 1", out="mp4"),
    *(
        Case("mkv", streams=sounds, out=out, slow=True)
        for sounds in (("mp3", "ac3", "flac"), ("opus", "vorbis", "pcm_s16le"))
        for out in ("mp4", "mov", "mkv", "webm")
    ),
    Case("mov", streams=("alac", "pcm_s16le"), out="mkv"),
    *(Case("mkv", streams=("ass", "webvtt"), out=out, slow=True) for out in ("mp4", "mkv", "webm")),
    Case("mp4", streams=("mov_text eng",), out="mkv"),
    Case("mkv", streams=("hdmv_pgs_subtitle",)),
    Case("mkv", streams=("hdmv_pgs_subtitle",), out="mp4"),
    Case("mkv", streams=("ass", "font")),
    Case("mkv", streams=("ass", "font"), out="mp4"),
    *(
        Case(source, streams=("aac eng", "cover"), out=out, slow=source == "mkv")
        for source in ("mp4", "mkv")
        for out in ("mp4", "mkv")
    ),
    # Sound that not everything holds, or that our own pipe does not carry.
    *(
        Case("mkv", streams=("eac3", "dca", "truehd"), out=out, slow=out != "mkv")
        for out in ("mkv", "mp4", "ts")
    ),
    *(
        Case("asf", "mpeg4", colour="untagged", streams=("wmav2",), out=out, slow=out != "mp4")
        for out in ("mkv", "mp4")
    ),
    Case("mov", streams=("adpcm_ima_qt",), out="mkv"),
    Case("avi", "mpeg4", colour="untagged", streams=("adpcm_ms",), out="mkv"),
    Case("mov", streams=("pcm_f32be",), out="mkv", slow=True),
    Case("mov", streams=("pcm_s24be",), out="avi", options=FFV1, slow=True),
]
