"""One package per feed: contract, suite, load and fix-it file; ``base`` says what each must offer."""
