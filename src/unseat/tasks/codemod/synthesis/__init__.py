"""Learning rewrite rules from examples by anti-unification; it knows of no transform."""
