"""The flow of a loss: what descent with very small steps does, by the Runge-Kutta rule."""

from collections.abc import Callable

State = tuple[float, ...]


def descend(pushed: Callable[[State], State], state: State, *, step: float, count: int) -> list[State]:
    """Return the states at times 0, step, ..., count * step, where `pushed` says how a state moves; as lsedu.descend.

    Examples
    --------
    >>> path = descend(lambda state: tuple(-value for value in state), (1.0,), step=0.1, count=10)
    >>> round(path[-1][0], 5)  # exp(-1)
    0.36788
    """

    def along(state: State, k: State, h: float) -> State:
        return tuple(value + h * slope for value, slope in zip(state, k))

    path = [state]
    for _ in range(count):
        a = pushed(state)
        b = pushed(along(state, a, step / 2))
        c = pushed(along(state, b, step / 2))
        d = pushed(along(state, c, step))
        state = along(state, tuple(p + 2 * q + 2 * r + s for p, q, r, s in zip(a, b, c, d)), step / 6)
        path.append(state)
    return path
