/* Trouble for a process into which this is preloaded: a disk that becomes full, and a clock that jumps.
 *
 * trouble_with_disk() says which steps fail, with which error, and below which directory. Steps are calls
 * that write, sync, or make a name. What frees room, or only reads, goes on. If the error is that of a
 * read-only file system, opening for writing is a step too.
 *
 * trouble_with_clock() moves the time that the process is told. Files still get the true time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

static char below[PATH_MAX];
static long first, last;
static long steps;
static int error;

/* Let some steps, counted from 1, fail; none if the first is 0. */
void trouble_with_disk(const char *directory, long from, long to, int with)
{
    strncpy(below, directory, sizeof below - 1);
    first = from;
    last = to;
    error = with;
    steps = 0;
}

/* How many steps there were since. */
long trouble_steps(void)
{
    return steps;
}

static long shift;

/* Move the time that is told, in seconds. */
void trouble_with_clock(long seconds)
{
    shift = seconds;
}

static int fails(const char *path)
{
    if (!below[0] || !path || strncmp(path, below, strlen(below)) != 0)
        return 0;
    long step = __atomic_add_fetch(&steps, 1, __ATOMIC_SEQ_CST);
    if (first == 0 || step < first || step > last)
        return 0;
    errno = error;
    return 1;
}

static int fails_open(int file)
{
    char link[64], path[PATH_MAX];
    if (!below[0])
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return fails(path);
}

static int makes(const char *path, int flags)
{
    if (error == EROFS && (flags & O_ACCMODE) != O_RDONLY)
        return 1;
    return (flags & O_CREAT) && access(path, F_OK) != 0;
}

/* The function that would have been called. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* A function whose first argument is an open file, and one whose target is a path. */
#define ON_FILE(type, name, parameters, ...)                                                                 \
    type name parameters                                                                                     \
    {                                                                                                        \
        return fails_open(file) ? -1 : REAL(name)(__VA_ARGS__);                                              \
    }
#define ON_PATH(type, name, parameters, ...)                                                                 \
    type name parameters                                                                                     \
    {                                                                                                        \
        return fails(path) ? -1 : REAL(name)(__VA_ARGS__);                                                   \
    }
#define ON_OPEN(name, parameters, ...)                                                                       \
    int name parameters                                                                                      \
    {                                                                                                        \
        va_list arguments;                                                                                   \
        va_start(arguments, flags);                                                                          \
        mode_t mode = va_arg(arguments, mode_t);                                                             \
        va_end(arguments);                                                                                   \
        return makes(path, flags) && fails(path) ? -1 : REAL(name)(__VA_ARGS__, flags, mode);                \
    }

ON_OPEN(open, (const char *path, int flags, ...), path)
ON_OPEN(open64, (const char *path, int flags, ...), path)
ON_OPEN(openat, (int directory, const char *path, int flags, ...), directory, path)
ON_OPEN(openat64, (int directory, const char *path, int flags, ...), directory, path)

ON_FILE(ssize_t, write, (int file, const void *bytes, size_t size), file, bytes, size)
ON_FILE(ssize_t, writev, (int file, const struct iovec *parts, int count), file, parts, count)
ON_FILE(ssize_t, pwrite, (int file, const void *bytes, size_t size, off_t at), file, bytes, size, at)
ON_FILE(ssize_t, pwrite64, (int file, const void *bytes, size_t size, off64_t at), file, bytes, size, at)
ON_FILE(ssize_t, sendfile, (int file, int from, off_t *at, size_t size), file, from, at, size)
ON_FILE(ssize_t, sendfile64, (int file, int from, off64_t *at, size_t size), file, from, at, size)
ON_FILE(int, fsync, (int file), file)
ON_FILE(int, fdatasync, (int file), file)
ON_FILE(int, fallocate, (int file, int mode, off_t at, off_t size), file, mode, at, size)

ON_PATH(int, mkdir, (const char *path, mode_t mode), path, mode)
ON_PATH(int, mkdirat, (int directory, const char *path, mode_t mode), directory, path, mode)
ON_PATH(int, link, (const char *from, const char *path), from, path)
ON_PATH(int, linkat, (int a, const char *from, int b, const char *path, int flags), a, from, b, path, flags)
ON_PATH(int, symlink, (const char *to, const char *path), to, path)
ON_PATH(int, rename, (const char *from, const char *path), from, path)
ON_PATH(int, renameat, (int a, const char *from, int b, const char *path), a, from, b, path)

ssize_t copy_file_range(int from, off64_t *a, int file, off64_t *b, size_t size, unsigned flags)
{
    return fails_open(file) ? -1 : REAL(copy_file_range)(from, a, file, b, size, flags);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = REAL(clock_gettime)(clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += shift;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    int result = REAL(gettimeofday)(now, zone);
    if (result == 0)
        now->tv_sec += shift;
    return result;
}

time_t time(time_t *now)
{
    time_t result = REAL(time)(NULL) + shift;
    if (now)
        *now = result;
    return result;
}
