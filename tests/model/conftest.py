"""What tests of the commands of model/ share."""

import pytest

import gaitkeeper


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command line; its exit status, standard output and error."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words):
        with pytest.raises(SystemExit) as stopped:
            gaitkeeper.main([str(word) for word in words])
        printed = capsys.readouterr()
        return stopped.value.code, printed.out, printed.err

    return call
