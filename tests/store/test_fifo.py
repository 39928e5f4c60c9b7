from __future__ import annotations

import threading
import time

from hanok.store.fifo import FifoLock


def test_waiters_are_served_in_the_order_in_which_they_came() -> None:
    lock = FifoLock()
    order: list[int] = []
    lock.acquire()
    threads = []

    def work(number: int) -> None:
        with lock:
            order.append(number)

    for number in range(20):
        thread = threading.Thread(target=work, args=(number,))
        thread.start()
        threads.append(thread)
        while len(lock._waiting) <= number:
            time.sleep(0.0005)
    lock.release()
    for thread in threads:
        thread.join(5)
    assert order == list(range(20))


def test_only_one_holds_it() -> None:
    lock, inside, most = FifoLock(), [0], [0]

    def work() -> None:
        for _ in range(200):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most[0] == 1
