"""What answers: models behind batchers, a gallery behind another; opened from settings, replaced while it runs."""
