"""Answers that many tabs ask for at once: made by the first, awaited by the others, kept until out of date."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future


class SharedAnswers:
    """The newest answers by what they are of and what they were made from; safe to use from threads."""

    def __init__(self, kept: int = 64) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, tuple[Hashable, Future[bytes]]] = OrderedDict()

    def get(self, what: Hashable, mark: Hashable, make: Callable[[], bytes]) -> bytes:
        """The answer, made now where there is none of this mark.

        Args:
            what: Names it.
            mark: Changes whenever the answer does.
            make: Makes it; what it raises is raised here, to those who waited for it as well.
        """
        with self._lock:
            known = self._answers.get(what)
            mine = known is None or known[0] != mark
            answer: Future[bytes] = Future() if known is None or known[0] != mark else known[1]
            self._answers[what] = mark, answer
            self._answers.move_to_end(what)
            while len(self._answers) > self._kept:
                self._answers.popitem(last=False)
        if mine:
            try:
                answer.set_result(make())
            except BaseException as error:
                with self._lock:
                    if self._answers.get(what) == (mark, answer):
                        del self._answers[what]
                answer.set_exception(error)
        return answer.result()
