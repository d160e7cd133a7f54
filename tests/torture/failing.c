/* A disk that fails: preloaded, it has one of the writes below MIRLA_FAIL_UNDER fail, and with ENOSPC all after it.

MIRLA_FAIL_AT is the number of that write, MIRLA_FAIL_WITH its errno. Counted are all processes together, by the length of
the file MIRLA_FAIL_COUNT, which grows by a byte with each write. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static ssize_t (*real_write)(int, const void *, size_t);

static int fails(int fd)
{
    static __thread int inside;
    char link[64], path[PATH_MAX];
    const char *under = getenv("MIRLA_FAIL_UNDER"), *counter = getenv("MIRLA_FAIL_COUNT");
    if (!under || !counter || inside)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    if (strncmp(path, under, strlen(under)))
        return 0;
    inside = 1;
    int error = 0, count = open(counter, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (count >= 0) {
        struct stat state;
        real_write(count, ".", 1);
        fstat(count, &state);
        close(count);
        long at = atol(getenv("MIRLA_FAIL_AT")), number = (long)state.st_size;
        int with = atoi(getenv("MIRLA_FAIL_WITH"));
        if (number == at || (number > at && with == ENOSPC))
            error = with;
    }
    inside = 0;
    errno = error;
    return error;
}

__attribute__((constructor)) static void begin(void) { real_write = dlsym(RTLD_NEXT, "write"); }

#define REAL(name) \
    static typeof(name) *real; \
    if (!real) \
        real = dlsym(RTLD_NEXT, #name); \
    if (fails(fd)) \
        return -1

ssize_t write(int fd, const void *data, size_t size) { REAL(write); return real(fd, data, size); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { REAL(pwrite); return real(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { REAL(pwrite64); return real(fd, data, size, at); }
int fsync(int fd) { REAL(fsync); return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); return real(fd); }
int ftruncate(int fd, off_t size) { REAL(ftruncate); return real(fd, size); }
int ftruncate64(int fd, off64_t size) { REAL(ftruncate64); return real(fd, size); }
