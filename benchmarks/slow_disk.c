/* A file system that is far away: preloaded into a process, it adds a delay to what has to reach the
 * server of a network file system before the caller may go on: fsync, fdatasync, fcntl's locks, unlink.
 *
 * SLOW_DISK_MILLISECONDS says how long. It applies to files of any path, as long as the process runs.
 * SLOW_DISK_COUNTS, if it is set, is a file that gets the number of delayed calls when the process ends.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SYNC, LOCK, UNLINK, KINDS };

static long counts[KINDS];
static struct timespec delay;

__attribute__((constructor)) static void start(void)
{
    const char *text = getenv("SLOW_DISK_MILLISECONDS");
    double milliseconds = text ? atof(text) : 0.0;
    delay.tv_sec = (time_t)(milliseconds / 1000);
    delay.tv_nsec = (long)((milliseconds - 1000.0 * delay.tv_sec) * 1e6);
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("SLOW_DISK_COUNTS");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "{\"sync\": %ld, \"lock\": %ld, \"unlink\": %ld}\n", counts[SYNC], counts[LOCK],
                counts[UNLINK]);
        fclose(file);
    }
}

static void wait_for(int kind)
{
    __atomic_add_fetch(&counts[kind], 1, __ATOMIC_RELAXED);
    nanosleep(&delay, NULL);
}

/* The function that would have been called. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fsync(int file)
{
    wait_for(SYNC);
    return REAL(fsync)(file);
}

int fdatasync(int file)
{
    wait_for(SYNC);
    return REAL(fdatasync)(file);
}

int unlink(const char *path)
{
    wait_for(UNLINK);
    return REAL(unlink)(path);
}

int unlinkat(int directory, const char *path, int flags)
{
    wait_for(UNLINK);
    return REAL(unlinkat)(directory, path, flags);
}

static int is_lock(int command)
{
    return command == F_SETLK || command == F_SETLKW || command == F_GETLK || command == F_OFD_SETLK ||
           command == F_OFD_SETLKW || command == F_OFD_GETLK;
}

/* The argument is passed on as it would be for any command: as a word. */
#define FCNTL(name)                                                                                          \
    int name(int file, int command, ...)                                                                     \
    {                                                                                                        \
        va_list arguments;                                                                                   \
        va_start(arguments, command);                                                                        \
        void *argument = va_arg(arguments, void *);                                                          \
        va_end(arguments);                                                                                   \
        if (is_lock(command))                                                                                \
            wait_for(LOCK);                                                                                  \
        return ((int (*)(int, int, ...))dlsym(RTLD_NEXT, #name))(file, command, argument);                    \
    }

FCNTL(fcntl)
FCNTL(fcntl64)
