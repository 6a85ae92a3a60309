"""Only the marker; what else is needed is in test_mutations.py."""


def pytest_configure(config):
    config.addinivalue_line("markers", "sample: quick, for every run of CI")
