/* 1000 reads and 1000 writes of c_numbers. */
volatile int c_numbers[1000];

void c_increment(void) {
  for (int i = 0; i < 1000; i++) c_numbers[i]++;
}
