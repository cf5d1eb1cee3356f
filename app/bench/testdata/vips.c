// The peer of "make bench-images": libvips in process, as imgproxy uses it.
//   vips FILE WIDTH SUFFIX SECONDS
// makes the picture again and again for so long, and prints how often a second, the milliseconds
// of processor time that one took, and the most memory that was ever resident, in MB.
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <vips/vips.h>

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

static void make(const char *file, int width, const char *suffix) {
  VipsImage *out;
  void *data;
  size_t n;
  if (vips_thumbnail(file, &out, width, NULL) || vips_image_write_to_buffer(out, suffix, &data, &n, NULL))
    vips_error_exit(NULL);
  g_object_unref(out);
  g_free(data);
}

// peak is in MB. getrusage's would begin with that of the program that started this one.
static double peak(void) {
  char line[256];
  double kb = 0;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f)) sscanf(line, "VmHWM: %lf", &kb);
  return kb / 1024;
}

int main(int argc, char **argv) {
  if (argc != 5 || VIPS_INIT(argv[0])) return 1;
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  make(argv[1], atoi(argv[2]), argv[3]); // what is loaded once does not count
  struct rusage from, to;
  getrusage(RUSAGE_SELF, &from);
  gint64 begin = g_get_monotonic_time();
  int n = 0;
  do make(argv[1], atoi(argv[2]), argv[3]), n++;
  while ((g_get_monotonic_time() - begin) / 1e6 < atof(argv[4]));
  getrusage(RUSAGE_SELF, &to);
  double cpu = seconds(to.ru_utime) - seconds(from.ru_utime) + seconds(to.ru_stime) - seconds(from.ru_stime);
  printf("%.2f %.3f %.1f\n", n * 1e6 / (g_get_monotonic_time() - begin), cpu * 1e3 / n, peak());
  return 0;
}
