/* Strided and nested loops, a matrix product, recursion, a list and a hash table: the encoding's ordinary diet. */
#include <stdio.h>
#include <stdlib.h>

#define N 24
static double a[N][N], b[N][N], c[N][N];

struct node {
  struct node *next;
  int value;
  char pad[40];
};

static int fibonacci(int n, int *calls) {
  ++*calls;
  return n < 2 ? n : fibonacci(n - 1, calls) + fibonacci(n - 2, calls);
}

static int ascending(const void *x, const void *y) { return *(const int *)x - *(const int *)y; }

static unsigned rng = 12345;
static unsigned next_random(void) { return rng = rng * 1664525 + 1013904223; }

int main(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) a[i][j] = i + j, b[i][j] = i - j;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      double sum = 0;
      for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
      c[i][j] = sum;
    }

  struct node *head = NULL;
  for (int i = 0; i < 500; i++) {
    struct node *node = malloc(sizeof *node);
    node->value = (int)(next_random() % 1000);
    node->next = head;
    head = node;
  }
  long total = 0;
  for (int lap = 0; lap < 4; lap++)
    for (struct node *node = head; node; node = node->next) total += node->value;

  unsigned *table = calloc(4096, sizeof *table);
  for (int i = 0; i < 3000; i++) {
    unsigned slot = next_random() >> 20;
    while (table[slot] && next_random() % 3) slot = (slot + 1) % 4096;
    table[slot]++;
  }

  int *numbers = malloc(800 * sizeof *numbers);
  for (int i = 0; i < 800; i++) numbers[i] = (int)(next_random() >> 8);
  qsort(numbers, 800, sizeof *numbers, ascending);

  int calls = 0;
  int f = fibonacci(15, &calls);
  printf("%g %ld %d %d %d %u\n", c[3][5], total, f, calls, numbers[0], table[7]);
  while (head) {
    struct node *next = head->next;
    free(head);
    head = next;
  }
  free(table);
  free(numbers);
  return 0;
}
