// Marks of several threads, of recursion, of a mapping; counts by hand in test/pipeline/marks.test.ts.
#include <pagelens.h>
#include <sys/mman.h>
#include <thread>

static const long PAGE = 4096;

struct Region {
  const char *name;
  explicit Region(const char *name) : name(name) { pagelens_region_begin(name); }
  ~Region() { pagelens_region_end(name); }
};

static void write(volatile char *at, long count) {
  for (long i = 0; i < count; i++) at[i] = 1;
}

// A region in itself: 5 times 10 writes, all of them in "deep", which is entered once by each caller from outside.
static void recurse(volatile char *at, int depth) {
  if (depth == 0) return;
  Region region("deep");
  write(at, 10);
  recurse(at, depth - 1);
}

int main() {
  char *at = static_cast<char *>(mmap(nullptr, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  pagelens_tag(at, "arena");
  {
    Region region("across");
    pagelens_phase("one");
    write(at, 100);
    pagelens_phase("two");
    write(at, 200);
    std::thread([=] {
      // What the closure holds is read outside of the region.
      char *page = at + PAGE;
      Region mine("worker");
      write(page, 1000);
    }).join();
    std::thread([=] {
      char *page = at + 2 * PAGE;
      Region mine("worker");
      write(page, 2000);
      recurse(page, 5);
    }).join();
  }
  write(at + 3 * PAGE, 7);
}
