"""What is said at the first start."""

from pathlib import Path

import pytest

from gallery.library import Library
from service.process.serving import show_first_key
from service.settings import DATA


@pytest.mark.parametrize(("data", "told"), [(DATA, "--scope identify\n"), (Path("my data"), " --data 'my data'\n")])
def test_the_command_for_more_keys_is_one_for_this_store(
    library: Library, data: Path, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_first_key(library.store, data)
    assert capsys.readouterr().out.endswith(told)
    show_first_key(library.store, data)
    assert capsys.readouterr().out == ""
