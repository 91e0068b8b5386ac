#ifdef __cplusplus
extern "C" {
#endif
int *make_table(int count);
void scale(int *table, int count, int factor);
long sum(const int *table, int count);
#ifdef __cplusplus
}
#endif
