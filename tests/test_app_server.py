"""The server of the page: what it tells Solara."""

import os
import subprocess
import sys

from viz.app.server import OFFLINE


def test_offline_settings_are_read_by_solara():
    """A name that Solara does not know would be passed over in silence."""
    code = """if True:
        from solara.server.settings import assets, telemetry, theme
        print(telemetry.mixpanel_enable, assets.fontawesome_enabled, theme.show_banner)
    """

    def read(settings):
        plain = {name: value for name, value in os.environ.items() if not name.startswith("SOLARA_")}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=plain | settings, capture_output=True, text=True, check=True).stdout.split()

    assert read({}) == ["True"] * len(OFFLINE)
    assert read(OFFLINE) == ["False"] * len(OFFLINE)
