"""A pretended device that counts each operation at which a program would have to wait for a real one.

A GPU works through a queue while the program goes ahead. What needs a value or a size back, or copies from ordinary
memory, stops the program until the queue is empty. `Device` runs programs unchanged, with true values, on tensors that
say they are elsewhere, notes such operations by name and line, and refuses what CUDA refuses: to mix devices, and to
draw from a generator of another device.

>>> with Device() as device:
...     x = device.put(torch.arange(4.0))
...     y = x.exp().sum()
...     device.waits.clear()
...     value = y.item()
>>> len(device.waits)
1
"""

import sys
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

#: What the tensors say of themselves. PyTorch's "meta" alone goes through autograd without a driver.
DEVICE = torch.device("meta")
CPU = torch.device("cpu")

aten = torch.ops.aten
#: Operations that give the program a value or a shape that depends on values, whatever they are asked.
READING = {
    aten._local_scalar_dense, aten.item, aten.is_nonzero, aten.equal, aten.allclose, aten.nonzero, aten.nonzero_numpy,
    aten.argwhere, aten.masked_select, aten._unique, aten._unique2, aten.unique_dim, aten.unique_consecutive,
    aten.unique_dim_consecutive, aten.bincount, aten._linalg_check_errors, aten._linalg_eigh, aten._linalg_svd,
    aten._linalg_eigvals, aten.linalg_eig, aten.linalg_eigvals, aten.linalg_lstsq,
}  # fmt: skip
#: Operations that take a number that lies on the CPU as it is, next to those that work element by element.
TAKES_NUMBERS = {aten.where, aten.fill_, aten.masked_fill, aten.masked_fill_, aten.full_like}
INDEXING = {aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_, aten._unsafe_index}
COPYING = {aten._to_copy, aten.copy_, aten.copy}
MAKING = {torch.tensor, torch.as_tensor, torch.asarray, torch.Tensor.new_tensor}
MASKS = (torch.bool, torch.uint8)


class Pretended(Tensor):
    """A tensor that says it is on `DEVICE` and holds its values in ordinary memory."""

    @staticmethod
    def __new__(cls, held, requires_grad=False):
        made = Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), storage_offset=held.storage_offset(), dtype=held.dtype,
            layout=held.layout, device=DEVICE, requires_grad=requires_grad,
        )  # fmt: skip
        made.held = held
        return made

    @property
    def data(self):
        return Tensor.data.__get__(self)

    @data.setter
    def data(self, value):
        Tensor.data.__set__(self, value)
        self.held = value.held

    def __repr__(self):
        return f"Pretended({self.held!r})"

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise RuntimeError(f"{func} was called on a pretended device after it was closed")


class _Generator(torch.Generator):
    """A generator that says it is on the device it was asked for."""

    def __new__(cls, device="cpu"):
        made = super().__new__(cls, "cpu")
        made.where = torch.device(device)
        return made

    @property
    def device(self):
        return self.where


_AUTOCAST = torch.autocast


def _autocast(device_type, *args, **kwargs):
    """Leave precisions alone on the device, which has no automatic ones: they are no matter of waits."""
    return nullcontext() if device_type == DEVICE.type else _AUTOCAST(device_type, *args, **kwargs)


class Device:
    """The pretended device, open within a ``with`` block.

    Attributes
    ----------
    waits : list of str
        Name and line of each operation that would have stopped the program, in order; clear it as you like.
    """

    def __init__(self):
        self.waits = []
        self._drawing = None
        self._modes = (
            mock.patch.object(torch, "Generator", _Generator),
            mock.patch.object(torch, "autocast", _autocast),
            _Functions(self),
            _Operations(self),
        )

    def __enter__(self):
        for mode in self._modes:
            mode.__enter__()
        return self

    def __exit__(self, *error):
        for mode in reversed(self._modes):
            mode.__exit__(*error)

    def put(self, value):
        """Return a tensor or a module on the device, by a copy that is not counted."""
        before = len(self.waits)
        moved = value.to(DEVICE)
        del self.waits[before:]
        return moved

    def values(self, value):
        """Return what a tensor holds, on the CPU, without counting."""
        before = len(self.waits)
        held = value.detach().cpu()
        del self.waits[before:]
        return held

    def generator(self, seed=0):
        """Return a generator of the device."""
        return torch.Generator(DEVICE).manual_seed(seed)


class _Functions(TorchFunctionMode):
    """What must be seen before PyTorch takes it apart: Python's numbers and lists, and whose generator it is."""

    def __init__(self, device):
        super().__init__()
        self.device = device

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is Tensor.tolist and isinstance(args[0], Pretended):
            return args[0].cpu().tolist()
        if func is Tensor.__setitem__ and isinstance(args[0], Pretended) and not isinstance(args[2], Tensor):
            args = (*args[:2], torch.tensor(args[2], dtype=args[0].dtype))  # on the CPU, as it is done for CUDA
        if func in MAKING and (made := _made_of_numbers(func, *args, **kwargs)) is not None:
            return made
        before = self.device._drawing
        drawing = [leaf for leaf in (*args, *kwargs.values()) if isinstance(leaf, torch._C.Generator)]
        self.device._drawing = drawing[0].device if drawing else before
        try:
            return func(*args, **kwargs)
        finally:
            self.device._drawing = before


def _made_of_numbers(func, *args, **kwargs):
    """Return the tensor on the device that numbers in ordinary memory are made into, or None if that is not asked."""
    like = args[0] if func is Tensor.new_tensor else None
    values = args[0] if like is None else args[1]
    options = {"device": CPU if like is None else like.device, "dtype": None if like is None else like.dtype}
    options |= {name: value for name, value in kwargs.items() if value is not None}
    if torch.device(options.pop("device")) != DEVICE or isinstance(values, Pretended):
        return None
    grad = options.pop("requires_grad", False)
    make = torch.tensor if like is not None else func
    return make(values, **options).to(DEVICE).requires_grad_(grad)


class _Operations(TorchDispatchMode):
    """Every operation, after autograd: counted, checked, done on the values, its results put on the device."""

    def __init__(self, device):
        super().__init__()
        self.device = device

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = [leaf for leaf in tensors if isinstance(leaf, Pretended)]
        here = [leaf for leaf in tensors if not isinstance(leaf, Pretended)]
        target = kwargs.get("device") or (DEVICE if there else CPU)
        if any(argument.name == "generator" for argument in func._schema.arguments):
            self._check_generator(target, func)
        if not there and target != DEVICE:
            return func(*args, **kwargs)
        if why := waits(func, args, kwargs, here, there, target):
            self.device.waits.append(f"{why} ({_line()})")
        check_mixing(func, here, there)
        wrappers = {id(leaf.held): leaf for leaf in there}
        args, kwargs = tree_map(lambda leaf: leaf.held if isinstance(leaf, Pretended) else leaf, (args, kwargs))
        if "device" in kwargs:
            kwargs["device"] = CPU
        out = func(*args, **kwargs)
        if target != DEVICE or (func.overloadpacket is aten.copy_ and id(out) not in wrappers):
            return out
        if not there and any(out is leaf for leaf in here):
            out = out.clone()  # the device has a copy of its own

        def put(leaf):
            if not isinstance(leaf, Tensor):
                return leaf
            return wrappers[id(leaf)] if id(leaf) in wrappers else Pretended(leaf)

        return tree_map(put, out)

    def _check_generator(self, target, func):
        if self.device._drawing not in (None, target):
            raise RuntimeError(
                f"Expected a '{target}' device type for generator but found '{self.device._drawing}' ({func})"
            )


def waits(func, args, kwargs, here, there, target):
    """Return the name of an operation that stops the program, or None.

    `here` and `there` are its tensors on the CPU and on the device, `target` is where its result lies.
    """
    packet, name = func.overloadpacket, str(func)
    if packet in READING or (packet is aten.repeat_interleave and kwargs.get("output_size") is None):
        return name
    given = dict(zip((argument.name for argument in func._schema.arguments), args)) | kwargs
    if packet is aten.multinomial:
        return name if given["num_samples"] == 1 or not given.get("replacement") else None
    if packet is aten.histc:
        return name if given.get("min", 0) == given.get("max", 0) else None
    if packet is aten.where and here:
        return f"{name} of a number on the CPU"
    if packet in COPYING:
        source, goal = args[0], target
        if packet is not aten._to_copy:
            source, goal = args[1], args[0].device
        late = goal == DEVICE and given.get("non_blocking")
        return None if source.device == goal or late else f"{name} to the {'device' if goal == DEVICE else 'CPU'}"
    if packet in INDEXING:
        indices = [index for index in given["indices"] if index is not None]
        masks = [index for index in indices if index.dtype in MASKS]
        value = given.get("values", given.get("value"))
        if len(indices) == len(masks) == 1 and value is not None and value.device == CPU and value.numel() == 1:
            return None  # done as masked_fill
        return f"{name} by a mask" if masks else f"{name} of what lies on the CPU" if here else None
    return None


def check_mixing(func, here, there):
    """Raise RuntimeError, as CUDA does, where an operation takes tensors of both and the CPU's are no numbers."""
    packet = func.overloadpacket
    if not here or not there or packet in COPYING or packet in INDEXING:
        return
    takes = packet in TAKES_NUMBERS or torch.Tag.pointwise in func.tags or "foreach" in str(func)
    if not takes or any(leaf.ndim for leaf in here):
        raise RuntimeError(f"Expected all tensors to be on the same device, but found {DEVICE} and cpu ({func})")


def _line():
    """Return file and line of the innermost frame that is neither PyTorch's nor ours."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name != __file__ and "/torch/" not in name:
            return f"{Path(name).name}:{frame.f_lineno}"
        frame = frame.f_back
    return "nowhere"
