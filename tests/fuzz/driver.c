/* One executable for all targets: libFuzzer around an embedded Python, whose instrumented modules register their
 * counters as they are loaded. The name it is called by (a symbolic link) is the target's. A target is a C function of
 * tests/fuzz/targets.pyx, or a function of tests/fuzz/slow.py that takes bytes; an exception of it is a finding.
 *
 * SIGFW_PYTHON and SIGFW_TREE are given by tests/fuzz/build.py. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

typedef int (*Target)(const uint8_t *, size_t);

static Target target;
static PyObject *slow;

/* Coverage of Python code, which clang cannot give: one counter a line (hashed), stepped by the interpreter. */
enum { LINES = 1 << 14 };
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t lines[LINES];

static int step(PyObject *self, PyFrameObject *frame, int what, PyObject *arg) {
    (void)self;
    (void)arg;
    if (what == PyTrace_LINE) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        uintptr_t where = (uintptr_t)code->co_firstlineno * 2654435761u + (uintptr_t)PyFrame_GetLineNumber(frame);
        lines[(where ^ where >> 14) % LINES]++;
        Py_DECREF(code);
    }
    return 0;
}

static void die(const char *what) {
    if (PyErr_Occurred())
        PyErr_Print();
    fprintf(stderr, "%s\n", what);
    abort();
}

static void start_python(void) {
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0;
    config.use_hash_seed = 1; /* one input, one way through it */
    config.hash_seed = 0;
    if (PyStatus_Exception(PyConfig_SetBytesString(&config, &config.program_name, SIGFW_PYTHON)) ||
        PyStatus_Exception(Py_InitializeFromConfig(&config)))
        die("Python does not start");
    PyConfig_Clear(&config);
    if (PyRun_SimpleString("import sys; sys.path.insert(0, '" SIGFW_TREE "')"))
        die("no path");
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    const char *slash = strrchr((*argv)[0], '/'), *name = slash ? slash + 1 : (*argv)[0];
    setenv("PYTHONMALLOC", "malloc", 1); /* or ASan would see arenas, and no overrun in them */
    start_python();
    PyObject *module = PyImport_ImportModule("tests.fuzz.targets");
    PyObject *api = module ? PyObject_GetAttrString(module, "__pyx_capi__") : NULL;
    if (!api)
        die("tests.fuzz.targets does not load");
    PyObject *capsule = PyDict_GetItemString(api, name);
    if (capsule) {
        target = (Target)PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule));
        return 0;
    }
    module = PyImport_ImportModule("tests.fuzz.slow");
    slow = module ? PyObject_GetAttrString(module, name) : NULL;
    if (!slow)
        die("no such target; call this by the name of one");
    PyObject *traced = PyObject_GetAttrString(slow, "traced");
    if (traced && PyObject_IsTrue(traced))
        PyEval_SetTrace(step, NULL);
    PyErr_Clear();
    Py_XDECREF(traced);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (target)
        return target(data, size);
    PyObject *result = PyObject_CallFunction(slow, "y#", (const char *)data, (Py_ssize_t)size);
    if (!result)
        die("the target raised");
    Py_DECREF(result);
    return 0;
}
