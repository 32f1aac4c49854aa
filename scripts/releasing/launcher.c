/* What a release's programs are before they are Python: finds the runtime folder, starts the interpreter in it.
 *
 * One source, several programs, told apart when they are compiled:
 *   -DMODULE=L"spacetimedb_cli.__main__"   runs main() of that module; the arguments are its own
 *   -DMODULE not given                     an ordinary interpreter (what sys.executable is)
 *   -DTO_RUNTIME=L"/runtime"               the runtime, seen from the folder of the program
 *   -DSTDLIB=L"lib/python3.11"             the standard library, seen from the runtime; likewise
 *   -DDYNLOAD=..., -DPACKAGES=...          its compiled modules, and everything else
 *   -DCERTIFICATES=L"...pem"               authorities to trust where the system has no list that is found
 *
 * The interpreter is isolated: no variable PYTHON*, no folder of the user or of the place it is called from has a
 * say in what runs. Text is UTF-8 whatever the locale. Nothing is ever written into the runtime.
 */
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#define LONGEST 4096
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#ifdef _WIN32
#include <windows.h>
#define SUFFIX L".exe"
#define SEPARATOR L'\\'
#else
#include <limits.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif
#define SUFFIX L""
#define SEPARATOR L'/'
#endif

static int fail(const char *problem) {
  fprintf(stderr, "Error: %s; install SpacetimeDB again\n", problem);
  return 1;
}

static int joined(wchar_t *into, const wchar_t *folder, const wchar_t *rest) {
  return swprintf(into, LONGEST, L"%ls%ls", folder, rest) >= 0;
}

#ifdef _WIN32
/* The path of the running program. */
static int own_path(wchar_t *path) {
  DWORD length = GetModuleFileNameW(NULL, path, LONGEST);
  return length > 0 && length < LONGEST;
}

static int exists(const wchar_t *path) { return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES; }

/* The library of the interpreter is loaded late (/DELAYLOAD), once it is known where it is. */
static int prepared(const wchar_t *runtime) { return SetDllDirectoryW(runtime) != 0; }
#else
/* The path of the running program with every link resolved: `spacetime` is a link into a version's folder. */
static int own_path(wchar_t *path) {
  char found[LONGEST], resolved[PATH_MAX];
#ifdef __APPLE__
  uint32_t size = sizeof found;
  if (_NSGetExecutablePath(found, &size) != 0) return 0;
#else
  ssize_t length = readlink("/proc/self/exe", found, sizeof found - 1);
  if (length < 0) return 0;
  found[length] = 0;
#endif
  if (realpath(found, resolved) == NULL) return 0;
  wchar_t *text = Py_DecodeLocale(resolved, NULL);
  if (text == NULL) return 0;
  int fits = joined(path, text, L"");
  PyMem_RawFree(text);
  return fits;
}

static int exists(const wchar_t *path) {
  char *bytes = Py_EncodeLocale(path, NULL);
  int found = bytes != NULL && access(bytes, R_OK) == 0;
  PyMem_Free(bytes);
  return found;
}

/* OpenSSL looks for authorities where the system that it was built on keeps them. On another system the list of that
 * system is named to it; where there is none, the one that came along. */
static int prepared(const wchar_t *runtime) {
  static const char *const places[] = {
      "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
      "/etc/ssl/cert.pem"};
  if (getenv("SSL_CERT_FILE") != NULL || getenv("SSL_CERT_DIR") != NULL) return 1;
  for (size_t i = 0; i < COUNT(places); i++)
    if (access(places[i], R_OK) == 0) return setenv("SSL_CERT_FILE", places[i], 0) == 0;
#ifdef CERTIFICATES
  wchar_t own[LONGEST];
  if (!joined(own, runtime, L"/" CERTIFICATES)) return 0;
  char *bytes = Py_EncodeLocale(own, NULL);
  int set = bytes != NULL && setenv("SSL_CERT_FILE", bytes, 0) == 0;
  PyMem_Free(bytes);
  return set;
#else
  (void)runtime;
  return 1;
#endif
}
#endif

/* Tells the programs where they are: `sys._xoptions["spacetime-program"]`. What they were called by does not say. */
#ifdef MODULE
static int named(PyConfig *config, const wchar_t *program) {
  wchar_t option[LONGEST + 32];
  return swprintf(option, COUNT(option), L"spacetime-program=%ls", program) >= 0 &&
         !PyStatus_Exception(PyWideStringList_Append(&config->xoptions, option));
}
#endif

static int search_path(PyConfig *config, const wchar_t *runtime) {
  static const wchar_t *const folders[] = {STDLIB, DYNLOAD, PACKAGES};
  wchar_t path[LONGEST], slash[2] = {SEPARATOR, 0}, base[LONGEST];
  if (!joined(base, runtime, slash)) return 0;
  for (size_t i = 0; i < COUNT(folders); i++) {
    if (!joined(path, base, folders[i])) return 0;
    if (PyStatus_Exception(PyWideStringList_Append(&config->module_search_paths, path))) return 0;
  }
  config->module_search_paths_set = 1;
  return joined(path, base, STDLIB) && !PyStatus_Exception(PyConfig_SetString(config, &config->stdlib_dir, path));
}

static int places(PyConfig *config, const wchar_t *runtime) {
  wchar_t interpreter[LONGEST];
  wchar_t **const prefixes[] = {&config->prefix, &config->base_prefix, &config->exec_prefix,
                                &config->base_exec_prefix};
  wchar_t name[] = L"#python" SUFFIX;
  name[0] = SEPARATOR;
  if (!joined(interpreter, runtime, name)) return 0;
  for (size_t i = 0; i < COUNT(prefixes); i++)
    if (PyStatus_Exception(PyConfig_SetString(config, prefixes[i], runtime))) return 0;
  return !PyStatus_Exception(PyConfig_SetString(config, &config->executable, interpreter)) &&
         !PyStatus_Exception(PyConfig_SetString(config, &config->base_executable, interpreter)) &&
         search_path(config, runtime);
}

static void behave(PyConfig *config) {
  config->install_signal_handlers = 1;
  config->configure_c_stdio = 1;
  config->site_import = 0;
  config->write_bytecode = 0;
  config->pathconfig_warnings = 0;
#ifdef MODULE
  config->parse_argv = 0;
#else
  config->parse_argv = 1;
#endif
}

/* The runtime's folder. A copy of a program that lies beside `bin` (Windows has no links worth the name) takes the
 * runtime of the current version. */
static int find_runtime(wchar_t *runtime, const wchar_t *program) {
  wchar_t folder[LONGEST];
  if (!joined(folder, program, L"")) return 0;
  wchar_t *end = wcsrchr(folder, SEPARATOR);
  if (end == NULL) return 0;
  *end = 0;
  if (!joined(runtime, folder, TO_RUNTIME)) return 0;
  if (exists(runtime)) return 1;
#ifdef _WIN32
  return joined(runtime, folder, L"\\bin\\current\\runtime") && exists(runtime);
#else
  return 0;
#endif
}

#ifdef _WIN32
int wmain(int argc, wchar_t **argv) {
#else
int main(int argc, char **argv) {
#endif
  wchar_t program[LONGEST], runtime[LONGEST];
  PyPreConfig before;
  PyConfig config;
#ifndef _WIN32
  PyPreConfig_InitIsolatedConfig(&before);
  before.utf8_mode = 1;
  if (PyStatus_Exception(Py_PreInitialize(&before))) return fail("the interpreter does not start");
#endif
  if (!own_path(program)) return fail("this program cannot tell where it is");
  if (!find_runtime(runtime, program)) return fail("the folder `runtime` is not beside this program");
  if (!prepared(runtime)) return fail("there is no memory left to start with");
#ifdef _WIN32 /* only now can the interpreter be called: its library is in the runtime */
  PyPreConfig_InitIsolatedConfig(&before);
  before.utf8_mode = 1;
  if (PyStatus_Exception(Py_PreInitialize(&before))) return fail("the interpreter does not start");
#endif
  PyConfig_InitIsolatedConfig(&config);
  behave(&config);
#ifdef _WIN32
  PyStatus status = PyConfig_SetArgv(&config, argc, argv);
#else
  PyStatus status = PyConfig_SetBytesArgv(&config, argc, argv);
#endif
  if (PyStatus_Exception(status) || !places(&config, runtime)) return fail("there is no memory left to start with");
#ifdef MODULE
  if (!named(&config, program)) return fail("there is no memory left to start with");
  status = PyConfig_SetString(&config, &config.run_command,
                              L"from " MODULE L" import main\nimport sys\nsys.exit(main())\n");
  if (PyStatus_Exception(status)) return fail("there is no memory left to start with");
#endif
  status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  if (PyStatus_Exception(status)) return fail(status.err_msg ? status.err_msg : "the interpreter does not start");
  return Py_RunMain();
}
