"""The choice of a device: what is asked for or nothing, and `auto` says why."""

import pytest
import torch

from vstyle import device
from vstyle.device import choose
from vstyle.errors import DeviceError, UsageError


def test_the_cpu_is_always_there() -> None:
    assert choose("cpu") == ("cpu", "asked for")


def test_auto_takes_cuda_if_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_has_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert choose("auto") == ("cpu", "no CUDA device was found")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "H100")
    assert choose("auto") == ("cuda:0", "found H100")
    assert choose("cuda") == ("cuda:0", "asked for")
    assert choose("cuda:1") == ("cuda:1", "asked for")


def test_what_is_not_there_is_refused_with_what_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for name in ("cuda:1", "mps"):
        with pytest.raises(DeviceError, match=name) as caught:
            choose(name)
        assert caught.value.hint == "There is: cpu, cuda:0."


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", ""])
def test_a_name_that_means_nothing_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError):
        choose(name)
