/* Rank r increments each of 1000 cells r + 1 times: r + 1 thousand reads and writes, all ranks of four 10,000 each. */
#include <mpi.h>
#include <stdio.h>

static volatile int cells[1000];

int main(int count, char **arguments) {
  int rank, sum = 0;
  MPI_Init(&count, &arguments);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (int turn = 0; turn <= rank; turn++)
    for (int i = 0; i < 1000; i++) cells[i]++;
  int own = rank + 1;
  MPI_Reduce(&own, &sum, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
  if (rank == 0) printf("%d\n", sum);
  MPI_Finalize();
  return 0;
}
