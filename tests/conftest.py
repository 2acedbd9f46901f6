from hypothesis import settings

# Tests assert no times: machines are busy, and the sanitized build is slow.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
