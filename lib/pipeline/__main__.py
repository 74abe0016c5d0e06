"""The command line behind `make`: `python -m lib.pipeline run|plan|status|sweep [step]`.

What the user asks for comes through the environment (P, PARAMS, RUN, STEPS, FORCE, JOBS), never pasted
into a shell line. Until there is something to run, this imports the standard library and YAML alone.
"""

import os
import sys

from lib.errors import WorkbookError


def main(words: list[str]) -> int:
    """Run one command; an error of ours is one paragraph, not a traceback."""
    from lib.pipeline import session, signals

    command, *rest = words or ["run"]
    try:
        if command == "run":
            return session.run(session.ask(os.environ, rest))
        if command == "plan":
            return session.show_plan(session.ask(os.environ, rest))
        if command == "status":
            from lib.pipeline import status

            return status.show()
        if command == "sweep":
            from lib.pipeline import sweep

            return sweep.run(os.environ)
        if command == "all-problems":
            from lib.pipeline import every

            return every.run(os.environ)
    except KeyboardInterrupt:
        print("✗ Interrupted. What is done is kept.", file=sys.stderr)
        return 130
    except signals.Stopped as stop:  # at the very end: the steps are done, the report may not be
        print(f"✗ The run was {stop}. What is done is kept.", file=sys.stderr)
        return 130
    except WorkbookError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 2
    print(f"✗ There is no command {command!r}: run, plan, status or sweep.", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
