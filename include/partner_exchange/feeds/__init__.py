"""One package per feed: its contract, its suite, how it loads and how it answers. ``base`` says what each must offer."""
