import pytest

from model.named_layouts import layout_named
from training.data.published import FLIP, PART_DROP, SETTINGS, STREAMS


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_every_setting_has_all_streams_and_one_learning_rate_for_its_batch(name):
    setting = SETTINGS[name]
    layout_named(setting.layout)
    assert tuple(setting.changes) == STREAMS
    assert {change for changes in setting.changes.values() for change in changes} <= {FLIP, PART_DROP}
    assert setting.lr / setting.batch == pytest.approx(0.1 / 64)
    assert setting.bank % setting.batch == 0
