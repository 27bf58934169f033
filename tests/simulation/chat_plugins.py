"""The commands of a simulation: what people can ask for, what the seed lets each do, and what the world knows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.world import KilledError, World

_OBEY = "return here.obey(ctx, app)"
_ENV = 'env: Literal["staging", "prod"] = "staging"'
#: The text of a plugin file of each kind; each has a command of its own name.
COMMANDS = {
    "deploy": 'from typing import Literal\n\n@deco(command="deploy", allow="ops", queue="deploy", lock="{env}")\n'
    f"def deploy(ctx, app: str, {_ENV}):\n    {_OBEY}\n",
    "migrate": 'from typing import Literal\n\n@deco(command="migrate", lock="{env}")\n'
    f"def migrate(ctx, app: str, {_ENV}):\n    {_OBEY}\n",
    "wide": f'@deco(command="wide", queue="wide")\ndef wide(ctx, app: str):\n    {_OBEY}\n',
    "patient": '@deco(command="patient", queue="deploy")\nasync def patient(ctx, app: str):\n'
    "    return await here.obey_async(ctx, app)\n",
    "limited": f'@deco(command="limited", timeout=4)\ndef limited(ctx, app: str):\n    {_OBEY}\n',
    "guarded": f'@deco(command="guarded", queue="wide")\ndef guarded(ctx, app: str):\n    {_OBEY}\n\n'
    '@deco(guard="guarded")\ndef check(args):\n    return here.judge(args["app"])\n',
}
#: The queue of each, and how many of its runs go on at once.
QUEUES = {
    "deploy": "deploy",
    "patient": "deploy",
    "migrate": "default",
    "limited": "default",
    "wide": "wide",
    "guarded": "wide",
}
LIMITS = {"wide": 3}
#: Those that are locked by their environment.
LOCKED = frozenset({"deploy", "migrate"})


def configuration(doors: tuple[str, ...]) -> str:
    """Return what the commands need in `slack_alert.conf` besides the rest; the first section is still open."""
    limits = "".join(f"{queue} = {most}\n" for queue, most in LIMITS.items())
    return (
        ("app_token = xapp-1-A0ALERT-test\n" if "socket" in doors else "")
        + "messages_per_second = 5\n[chat]\nadmins = U0ADM\n"
        + ("poll = 10s\nchannels = C0TEST, G0TEAM\n" if "polling" in doors else "")
        + f"[roles]\nops = S0OPS, U0DAN\nrelease = U0DAN\n[queues]\n{limits}"
        "[permissions]\ndeploy env:prod = release\nmigrate = members\nwide = members\npatient = members\n"
        "limited = members\nguarded = members\ncancel = ops\n"
    )


@dataclass
class CommandCall:
    """One call of a command's function, as the world knows it."""

    command: str
    #: What tells the message that asked for it from all others.
    token: str
    run: int
    by: str
    life: int
    #: Microseconds of the world's clock, and what the wall clock of the program said.
    began: int
    at: float
    does: str
    env: str = ""
    ended: int | None = None
    #: When the function saw that it was canceled.
    heeded: int | None = None
    #: Unique texts that it posted on its way, and the one that it returned.
    said: list[str] = field(default_factory=list)
    value: str = ""


class CommandStage:
    """What the functions of commands do: drawn, and written down."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.calls: list[CommandCall] = []
        self.is_wild = True
        self.met: dict[str, int] = {}
        #: The tokens that the guard refused.
        self.refused: set[str] = set()
        self._texts = 0

    # --- what plugin files call

    def obey(self, ctx: Any, token: str) -> object:
        """Do what the seed says for this call."""
        call = self._begin(ctx, token, _WILD)
        try:
            result = self._act(call, ctx)
        except (KilledError, GeneratorExit):
            raise
        except BaseException:
            self._end(call)
            raise
        self._end(call)
        return result

    async def obey_async(self, ctx: Any, token: str) -> object:
        """Do so, and wait on the loop."""
        import asyncio

        call = self._begin(ctx, token, _TAME)
        try:
            if call.does == "wait":
                await asyncio.sleep(self._world.random.choice((0.1, 2.0, 20.0, 90.0)))
            result = self._act(call, ctx)
        except (KilledError, GeneratorExit):
            raise
        except BaseException:
            self._end(call)
            raise
        self._end(call)
        return result

    def judge(self, token: str) -> object:
        """Allow, refuse, or break."""
        thread = self._world.current
        if thread is None or thread.life.is_dead:
            raise KilledError
        chance = self._world.random.random()
        if self.is_wild and chance < 0.3:
            self.refused.add(token)
            if chance < 0.1:
                raise ValueError("the guard is broken")
            return "not today"
        self._world.sleep(self._world.random.choice((0.0, 0.2, 2.0)))
        return None

    # --- what is drawn

    def _begin(self, ctx: Any, token: str, likely: tuple[tuple[str, float], ...]) -> CommandCall:
        world = self._world
        thread = world.current
        if thread is None or thread.life.is_dead:
            raise KilledError
        does = self._draw(likely)
        run = ctx._run
        env = str(run.arguments.values.get("env", "staging")) if run.binding.partition(".")[2] in LOCKED else ""
        call = CommandCall(
            run.binding.partition(".")[2], token, run.id, ctx.by.id, thread.life.number, world.micros,
            world.seconds(), does, env,
        )  # fmt: skip
        self.calls.append(call)
        self.met[f"command: {does}"] = self.met.get(f"command: {does}", 0) + 1
        world.note(f"command {run.binding} {token} ({run.id}) begins: {does}")
        return call

    def _end(self, call: CommandCall) -> None:
        thread = self._world.current
        # What is thrown into a function of a program that is gone ends nothing.
        if thread is None or not thread.life.is_dead:
            call.ended = self._world.micros
            self._world.note(f"command {call.command} {call.token} ({call.run}) ends")

    def _draw(self, likely: tuple[tuple[str, float], ...]) -> str:
        chance = self._world.random.random()
        for does, share in likely if self.is_wild else ():
            if chance < share:
                return does
            chance -= share
        return "quiet"

    def _act(self, call: CommandCall, ctx: Any) -> object:
        act: Callable[[CommandCall, Any], object] = getattr(self, f"_{call.does}")
        return act(call, ctx)

    def _quiet(self, _call: CommandCall, _ctx: Any) -> object:
        return None

    def _speak(self, call: CommandCall, _ctx: Any) -> object:
        call.value = self._text("value")
        return call.value

    def _fail(self, _call: CommandCall, _ctx: Any) -> object:
        raise ValueError(self._text("fault"))

    def _wait(self, call: CommandCall, ctx: Any) -> object:
        """Take a while, and look now and then whether to end."""
        if self._world.current is not None and self._world.current.loop is None:
            for _ in range(self._world.random.choice((1, 3, 20, 60))):
                self._world.sleep(1.0)
                if ctx.canceled:
                    call.heeded = self._world.micros
                    break
        return self._speak(call, ctx)

    def _ignore(self, call: CommandCall, ctx: Any) -> object:
        """Take a while, whatever somebody wants."""
        self._world.sleep(self._world.random.choice((0.4, 3.0, 30.0)))
        return self._speak(call, ctx)

    def _progress(self, call: CommandCall, ctx: Any) -> object:
        for step in range(1, 5):
            ctx.progress(step / 4, f"step {step}")
            self._world.sleep(self._world.random.choice((0.1, 1.0, 5.0)))
        return self._speak(call, ctx)

    def _say(self, call: CommandCall, ctx: Any) -> object:
        for _ in range(self._world.random.randrange(1, 4)):
            text = self._text("said")
            call.said.append(text)
            ctx.say(text)
            self._world.sleep(self._world.random.choice((0.0, 0.1, 1.0)))
        return None

    def _store(self, _call: CommandCall, ctx: Any) -> object:
        ctx.store.set("n", (ctx.store.get("n") or 0) + 1)
        return None

    def _die(self, call: CommandCall, _ctx: Any) -> object:
        thread = self._world.current
        assert thread is not None
        self._world.kill(thread.life, f"by {call.command} {call.token}")
        raise KilledError

    def _text(self, what: str) -> str:
        self._texts += 1
        return f"{what}-{self._texts}-"


_TAME = (("speak", 0.2), ("fail", 0.1), ("wait", 0.4), ("store", 0.05))
_WILD = (*_TAME, ("ignore", 0.05), ("progress", 0.08), ("say", 0.08), ("die", 0.01))
