def pytest_configure(config):
    config.addinivalue_line("markers", "sample: quick, for every run of CI")
