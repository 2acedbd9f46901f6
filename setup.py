"""Build of the compiled core: one extension module a file in sigfw/_core.

SIGFW_DEBUG=1     bounds checks and -O0 -g, for a debugger
SIGFW_SANITIZE=1  ASan + UBSan (run Python with LD_PRELOAD of libasan and PYTHONMALLOC=malloc)
SIGFW_PGO=train   counts what runs, into build/pgo; SIGFW_PGO=use: builds by these counts (gcc; `make pgo` does both)
SIGFW_FUZZ=1      the same with libFuzzer's coverage, and the targets of tests/fuzz (clang); tests/fuzz/build.py does it
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

CORE = Path("sigfw/_core")
DEBUG = os.environ.get("SIGFW_DEBUG") == "1"
FUZZ = os.environ.get("SIGFW_FUZZ") == "1"
PGO = os.environ.get("SIGFW_PGO", "")
COUNTS = Path("build/pgo").absolute()
SANITIZE = os.environ.get("SIGFW_SANITIZE") == "1" or FUZZ

# -fno-strict-aliasing: wire.pxd reads octets through byte pointers only, but Cython's own structs are cast.
compile_args = ["-O3", "-g", "-std=c11", "-Wall", "-Wno-unused-function", "-Wno-sign-compare", "-fno-strict-aliasing"]
link_args: list[str] = []
if DEBUG:
    compile_args[0] = "-O0"
if PGO == "train":
    compile_args += [f"-fprofile-generate={COUNTS}", "-fprofile-update=atomic"]
    link_args += ["-fprofile-generate"]
elif PGO == "use":
    # Partial training: what the training never ran (hostile input may) is built for speed, too, not for size.
    compile_args += [
        f"-fprofile-use={COUNTS}",
        "-fprofile-partial-training",
        "-Wno-missing-profile",
        "-DSIGFW_TRAINED=1",
    ]
elif PGO:
    raise SystemExit(f"SIGFW_PGO is train or use, not {PGO}")
if SANITIZE:
    compile_args += [
        "-O1",
        "-fno-omit-frame-pointer",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=undefined",
    ]
    link_args += ["-fsanitize=address,undefined"]
sources = {f"sigfw._core.{source.stem}": source for source in sorted(CORE.glob("*.pyx"))}
if FUZZ:
    # Python keeps every method as a PyCFunction and casts it back by its flags: `function` of clang 17 reports that.
    compile_args += ["-fsanitize=fuzzer-no-link", "-fno-sanitize=function"]
    sources["tests.fuzz.targets"] = Path("tests/fuzz/targets.pyx")

extensions = [
    Extension(
        name,
        [str(source)],
        include_dirs=[str(CORE)],
        depends=sorted(str(p) for pattern in ("*.pxd", "*.h") for p in CORE.glob(pattern)),
        extra_compile_args=compile_args,
        extra_link_args=link_args,
    )
    for name, source in sources.items()
]

CPUS = os.cpu_count() or 1

setup(
    options={"build_ext": {"parallel": CPUS}},
    ext_modules=cythonize(
        extensions,
        nthreads=CPUS,
        compiler_directives={
            "language_level": 3,
            # Every read of wire octets goes through wire.pxd, which checks; these would check twice, and raise.
            "boundscheck": DEBUG,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
            "embedsignature": True,
        },
    ),
)
