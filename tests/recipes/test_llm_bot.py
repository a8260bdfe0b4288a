"""The recipe of a bot with a language model, on the sandbox: slow and long answers, and WeChat's rules about both."""

import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.recipes.stage import RECIPES
from wxcs_lite import fetch_token, fresh_token
from wxcs_lite.push import push_app
from wxcs_lite.sandbox import Customer, Sandbox

RECIPE = RECIPES / "llm_bot"
LLM: dict[str, Any] = runpy.run_path(str(RECIPE / "llm_bot.py"))
TYPING, SEND = "/cgi-bin/message/custom/typing", "/cgi-bin/message/custom/send"


class Model:
    """A model whose answers, piece by piece, the test decides; it can be made to wait."""

    def __init__(self) -> None:
        self.says: Callable[[str], list[str]] = lambda said: [f"You wrote: {said}"]
        self.asked: list[list[dict[str, str]]] = []
        self.thinking, self.go = threading.Event(), threading.Event()
        self.go.set()

    def __call__(self, history: list[dict[str, str]]) -> Iterator[str]:
        self.asked.append(history)
        self.thinking.set()
        assert self.go.wait(10)
        yield from self.says(history[-1]["content"])


class Stage:
    """A bot that is pushed to by a sandbox, and all calls that it makes."""

    def __init__(self, wait: Callable[[threading.Event, float], bool] = threading.Event.wait) -> None:
        self.sandbox, self.model = Sandbox(), Model()
        self.calls: list[Any] = []
        pool = self.sandbox.pool(on_request=self.calls.append)
        token = fresh_token(pool, self.sandbox.appid, self.sandbox.secret, clock=self.sandbox.clock)
        self.bot = LLM["Bot"](pool, token, self.model, clock=self.sandbox.clock, wait=wait)
        self.app = push_app(self.bot, token="madeUp", wait=0.05)
        self.pushes = self.sandbox.push_to(self.app, token="madeUp")
        self.ann = self.sandbox.user("ann")

    def ends(self) -> None:
        """Wait until all that was pushed is answered."""
        self.model.go.set()
        self.app._once._pool.shutdown()

    def codes(self, path: str) -> list[int]:
        return [call.errcode for call in self.calls if call.path == path]


def until(happens: Callable[[], object]) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + 10
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.01)


def texts(customer: Customer) -> list[str]:
    return [delivered.message["text"]["content"] for delivered in customer.inbox]


def test_an_answer_is_labelled_and_the_conversation_kept() -> None:
    """Each message says that an AI wrote it; the model sees what was said before, and which pictures came."""
    stage = Stage()
    stage.ann.says("hello")
    stage.ann.sends_card(title="t", pagepath="pages/a")
    stage.ends()
    assert ["You wrote: hello", "You wrote: (miniprogrampage)"] == texts(stage.ann)
    assert [{"is_ai_msg": 1}] * 2 == [delivered.message["aimsgcontext"] for delivered in stage.ann.inbox]
    assert ["user", "assistant", "user"] == [turn["role"] for turn in stage.model.asked[1]]


def test_typing_is_shown_again_as_long_as_the_rules_let_it() -> None:
    """At 0 and 15.5 s; at 31 s WeChat refuses (45080), and it is not asked for again while the model goes on."""
    refused = threading.Event()

    def wait(done: threading.Event, seconds: float) -> bool:
        """Instead of waiting: time travels. After the third time the thread must have ended."""
        assert 15.5 == seconds
        assert not refused.is_set()
        stage.sandbox.advance(seconds)
        if stage.sandbox.clock() - begun > 30:
            refused.set()
        return False

    stage = Stage(wait)
    begun = stage.sandbox.clock()
    stage.model.go.clear()
    stage.ann.says("think hard")
    assert refused.wait(10)
    stage.ends()
    assert [0, 0, 45080] == stage.codes(TYPING)
    assert ["You wrote: think hard"] == texts(stage.ann)
    assert not stage.ann.sees_typing


def test_a_long_answer_comes_in_pieces_that_the_window_holds() -> None:
    """Five, of which the last says how to get the rest; nothing is refused, nothing lost, nothing sent twice."""
    stage = Stage()
    words = [f"{n}. " for n in range(2200)]
    stage.model.says = lambda said: words
    stage.ann.says("tell me all")
    until(lambda: len(stage.ann.inbox) == 5)
    assert 5 == len(texts(stage.ann))
    assert texts(stage.ann)[4].endswith(LLM["MORE_TO_COME"])
    stage.ann.says(" More ")
    stage.ends()
    assert 1 == len(stage.model.asked)
    assert {0} == set(stage.codes(SEND))
    assert all(len(content.encode()) <= 2048 for content in texts(stage.ann))
    told = " ".join(content.replace(LLM["MORE_TO_COME"], "") for content in texts(stage.ann))
    assert "".join(words).split() == told.split()


def test_who_only_came_in_gets_nothing_and_two_messages_are_left() -> None:
    """The event opens a small window; a message a large one."""
    stage = Stage()
    stage.ann.enters_session()
    stage.ends()
    assert [] == stage.codes(SEND)
    assert ["enter"] == [event.kind for event in stage.bot.customer("ann").events]


def test_a_window_that_has_closed_is_not_sent_into() -> None:
    """The model took more than two days; what it wrote is kept."""
    stage = Stage()
    stage.model.go.clear()
    stage.ann.says("think hard")
    assert stage.model.thinking.wait(10)
    stage.sandbox.advance(49 * 3600)
    stage.ends()
    assert [] == stage.codes(SEND)
    assert ["You wrote: think hard"] == stage.bot.customer("ann").rest


@pytest.mark.parametrize(("errcode", "seconds"), [(45009, 86400), (45011, 60)])
def test_a_quota_that_is_used_up_is_left_alone(errcode: int, seconds: int) -> None:
    """Nobody is answered, and no model asked, until it is sensible; then what was written is there."""
    stage = Stage()
    stage.sandbox.fail_next(errcode=errcode, path=SEND)
    for line in ("one", "two"):
        stage.ann.says(line)
        until(lambda: not stage.bot.customer("ann").waiting)
    assert [errcode] == stage.codes(SEND)
    stage.sandbox.advance(seconds)
    stage.ann.says("more")
    stage.ends()
    assert ["You wrote: one"] == texts(stage.ann)
    assert 1 == len(stage.model.asked)


@pytest.mark.parametrize("word", ["human", " 人工"])
def test_a_word_hands_over_at_once(word: str) -> None:
    """Though an answer is being written, and a question waits: neither is sent any more."""
    stage = Stage()
    stage.model.go.clear()
    stage.ann.says("think hard")
    assert stage.model.thinking.wait(10)
    stage.ann.says("and then?")
    stage.ann.says(word)
    assert stage.ann.has_agent
    stage.ends()
    assert [] == texts(stage.ann)
    assert 1 == len(stage.model.asked)


def test_questions_are_answered_in_their_order() -> None:
    """One after the other, though each push has a thread of its own; another customer does not wait for them."""
    stage = Stage()
    stage.model.go.clear()
    for n in range(4):
        stage.ann.says(f"question {n}")
    assert stage.model.thinking.wait(10)
    stage.sandbox.user("bob").says("hello")
    until(lambda: len(stage.model.asked) == 2)
    stage.ends()
    assert [f"You wrote: question {n}" for n in range(4)] == texts(stage.ann)
    assert ["You wrote: hello"] == texts(stage.sandbox.user("bob"))


def test_a_push_that_comes_again_is_answered_once() -> None:
    """As push_app has it: here WeChat hears 500 the first time, though the bot had heard."""
    stage = Stage()
    lost = iter([True])

    def app(environ: Any, start_response: Any) -> Any:
        answer = stage.app(environ, start_response)
        if environ["REQUEST_METHOD"] == "POST" and next(lost, False):
            raise RuntimeError("the answer is lost on its way")
        return answer

    stage.sandbox.push_to(app, token="madeUp")
    stage.ann.says("hello")
    stage.ends()
    assert None is next(lost, None)
    assert ["You wrote: hello"] == texts(stage.ann)


def test_a_model_that_fails_is_told_and_the_next_question_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    """Without the text of its error, which may be a customer's."""
    stage = Stage()

    def says(said: str) -> list[str]:
        if said == "bad":
            raise ValueError("whisper")
        return ["good"]

    stage.model.says = says
    stage.ann.says("bad")
    until(lambda: len(stage.ann.inbox) == 1)
    stage.ann.says("better")
    stage.ends()
    assert [LLM["SORRY"], "good"] == texts(stage.ann)
    assert "the model failed: ValueError" in caplog.text
    assert "whisper" not in caplog.text


def test_what_breaks_the_way_does_not_stop_the_next_question(caplog: pytest.LogCaptureFixture) -> None:
    """A message that got no answer is logged; it is not sent again, because it may have arrived."""
    stage = Stage()
    stage.sandbox.fail_next(drop="before", path=SEND)
    for line in ("one", "two"):
        stage.ann.says(line)
    stage.ends()
    assert ["You wrote: two"] == texts(stage.ann)
    assert "no answer: POST /cgi-bin/message/custom/send" in caplog.text


def test_a_token_that_somebody_replaced_is_replaced_once() -> None:
    """The customer notices nothing."""
    stage = Stage()
    stage.ann.says("one")
    until(lambda: stage.ann.inbox)
    stage.sandbox.advance(60)
    fetch_token(stage.sandbox.pool(), stage.sandbox.appid, stage.sandbox.secret, force_refresh=True)
    stage.ann.says("two")
    stage.ends()
    assert ["You wrote: one", "You wrote: two"] == texts(stage.ann)
    assert 1 == [call.errcode for call in stage.calls].count(40001)


def test_conversations_are_kept_for_so_many_customers() -> None:
    """The customer who was silent for longest is forgotten."""
    stage = Stage()
    kept = [stage.bot.customer(f"c{n}") for n in range(LLM["CUSTOMERS"])]
    assert kept[0] is stage.bot.customer("c0")
    stage.bot.customer("one more")
    assert kept[0] is stage.bot.customer("c0")
    assert kept[1] is not stage.bot.customer("c1")


def run(*args: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *args], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_its_demonstration_runs_as_readme_says() -> None:
    """A story longer than the window, its rest, and the hand-over."""
    done = run("llm_bot.py", cwd=RECIPE)
    assert "" == done.stderr
    lines = done.stdout.splitlines()
    assert "bot: 'You wrote: hello' … 'You wrote: hello', 16 bytes" == lines[1]
    assert 5 + 3 + 1 == sum(line.startswith("bot: ") for line in lines)
    assert "an agent has the session" == lines[-1]


def test_without_its_environment_it_says_what_is_missing() -> None:
    """By name, in both languages."""
    done = run("-c", "import llm_bot; llm_bot.from_environment()", cwd=RECIPE, WXCS_APPID="wx1")
    assert 1 == done.returncode
    assert "Set these in the environment, as README says: WXCS_SECRET, WXCS_PUSH_TOKEN, WXCS_AES_KEY\n请" in done.stderr


def test_with_its_environment_it_is_an_application(tmp_path: Path) -> None:
    """In secure mode; what was seen is in a file beside it."""
    environment = {f"WXCS_{name}": "madeUp" for name in ("APPID", "SECRET", "PUSH_TOKEN")}
    script = f"import sys; sys.path.insert(0, {str(RECIPE)!r}); import llm_bot; print(llm_bot.from_environment())"
    done = run("-c", script, cwd=tmp_path, WXCS_AES_KEY="A" * 43, **environment)
    assert "<push_app in secure mode>\n" == done.stdout
    assert (tmp_path / "seen.sqlite").is_file()
