"""OpenVINO's runtime, imported without its converter.

The converter tells its makers over the network that it was imported, each time. We need it for
nothing, and a program that paints must not call home: so it is not there while openvino is loaded,
which openvino takes as a smaller installation.
"""

import sys
from typing import Any

_CONVERTER = "openvino.tools.ovc"

_found: Any = sys.modules.get(_CONVERTER)
sys.modules[_CONVERTER] = None  # type: ignore[assignment]
try:
    import openvino as ov
    from openvino import Node
    from openvino import opset13 as op
finally:
    if _found is None:
        del sys.modules[_CONVERTER]
    else:
        sys.modules[_CONVERTER] = _found

__all__ = ["Node", "op", "ov"]
