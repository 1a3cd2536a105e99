"""Who computes in how many threads."""

import cv2

FEW = 2
"""Cores that the stages of the frame path and the encoder keep busy by themselves."""


def leave_cores() -> None:
    """Let OpenCV take one thread for each picture where cores are few.

    Its threads would wait for each other, and for a core: 5 of 100 core-ms per frame of 1280x720.
    """
    if cv2.getNumberOfCPUs() <= FEW:
        cv2.setNumThreads(1)
