"""The command ``insitu``: reads the arguments, runs one command, turns errors into exit codes."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import tyro

from image_core.errors import InsituError
from insitu.cache import CacheCommand
from insitu.demo import DemoCommand
from insitu.doctor import DoctorCommand
from insitu.evaluate import EvaluateCommand
from insitu.exit_codes import ExitCode, code_of
from insitu.image import ImageCommand
from insitu.models import ModelsCommand
from insitu.nerf import NerfCommand
from insitu.pocket import PocketCommand
from insitu.reporting import report_error
from insitu.train import TrainCommand
from insitu.usage import UsageError
from insitu.verify import VerifyCommand
from insitu.video import VideoCommand

Command = (
    Annotated[ImageCommand, tyro.conf.subcommand("image")]
    | Annotated[VideoCommand, tyro.conf.subcommand("video")]
    | Annotated[CacheCommand, tyro.conf.subcommand("cache")]
    | Annotated[VerifyCommand, tyro.conf.subcommand("verify")]
    | Annotated[DoctorCommand, tyro.conf.subcommand("doctor")]
    | Annotated[DemoCommand, tyro.conf.subcommand("demo")]
    | Annotated[ModelsCommand, tyro.conf.subcommand("models")]
    | Annotated[NerfCommand, tyro.conf.subcommand("nerf")]
    | Annotated[EvaluateCommand, tyro.conf.subcommand("evaluate")]
    | Annotated[PocketCommand, tyro.conf.subcommand("pocket")]
    | Annotated[TrainCommand, tyro.conf.subcommand("train")]
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments without the program's name; ``sys.argv``'s unless given.

    Returns:
        The exit code, one of ``ExitCode``.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = ("json" in arguments and "--format" in arguments) or "--format=json" in arguments
    try:
        command = tyro.cli(
            Command,
            args=arguments,
            prog="insitu",
            description="Edit just the part that an instruction names, and prove that nothing "
            "else changed.",
            config=(tyro.conf.OmitArgPrefixes,),
        )
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else ExitCode.USAGE
        if code and as_json:
            report_error(UsageError("the command line cannot be parsed"), ExitCode.USAGE, as_json)
        return int(code)
    try:
        return int(command.run())
    except UsageError as error:
        return report_error(error, ExitCode.USAGE, as_json)
    except KeyboardInterrupt as error:
        return report_error(error, ExitCode.INTERRUPTED, as_json)
    except InsituError as error:
        if command.debug:
            traceback.print_exc()
        return report_error(error, code_of(error), as_json)
    except Exception as error:  # the outermost place: whatever escaped becomes code 1
        if command.debug:
            traceback.print_exc()
        return report_error(error, ExitCode.INTERNAL, as_json)


if __name__ == "__main__":
    sys.exit(main())
