"""What each client holds of a worker: its share, its turn, and its budget."""

import threading

from api.core.budgets import Budget
from api.core.clients import Shares, Turns, client_at


def test_a_client_is_an_address_and_of_ipv6_its_network():
    assert client_at("192.0.2.7") == client_at("::ffff:192.0.2.7") == "192.0.2.7"
    assert client_at("2001:db8::1") == client_at("2001:db8::2") == "2001:db8::/64"
    assert client_at("") == ""


def test_a_share_is_given_back():
    shares = Shares(2)
    assert [shares.acquire("a"), shares.acquire("a", "key"), shares.acquire("a")] == [1, 1, 0]
    assert shares.acquire("b", "key")
    shares.release("a", "key")
    assert shares.acquire("a")


def test_a_client_holds_its_share_of_places_and_others_the_rest():
    turns = Turns(4, 2)
    assert [turns.acquire("a", 0) for _ in range(3)] == [True, True, False]
    assert turns.acquire("b", 0)
    turns.release("a")
    assert turns.acquire("a", 0)


def test_a_place_goes_to_another_client_first():
    turns, served = Turns(1, 1), []
    turns.acquire("a", 0)

    def wait(client):
        assert turns.acquire(client, 20)
        served.append(client)
        turns.release(client)

    waiting = [threading.Thread(target=wait, args=(client,)) for client in "aaab"]
    for number, thread in enumerate(waiting, 1):
        thread.start()
        while len(turns._waiting) < number:
            pass
    turns.release("a")
    for thread in waiting:
        thread.join()
    assert served[0] == "b"


def test_a_budget_is_used_up_and_comes_back():
    budget = Budget(60.0)
    budget.charge("a", 30)
    assert budget.wait("a") == 0
    budget.charge("a", 1000)  # one request takes no more than all of it
    assert 29 < budget.wait("a") <= 30
    assert budget.wait("b") == 0
