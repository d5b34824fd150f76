"""A sum over many is made rarely, over few always."""

from vm_ari.adapters.rarely import Rarely


def test_of_few_always_and_of_many_now_and_then() -> None:
    few, many = Rarely(), Rarely()
    assert all(few.due(40) for _ in range(20))
    assert sum(many.due(10_000) for _ in range(10_000)) == 50
