/* Code and data of a library that is loaded at run time. */
static int cells[1000];

int fill(int count) {
  for (int i = 0; i < count; i++) *(volatile int *)&cells[i] = i;
  return cells[count - 1];
}
