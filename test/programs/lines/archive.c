/*
 * archive BYTES: makes a text of so many bytes, packs it (LZ77 with hash chains, then canonical Huffman codes), unpacks
 * it and compares. Structs, bit fields of a byte stream, tables on the stack, in globals and on the heap, recursion,
 * qsort with a callback, copies of all lengths.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  WINDOW = 1 << 12,
  HASH_BITS = 10,
  MIN_MATCH = 4,
  MAX_MATCH = 66,
  CHAIN = 16,
  /* Literals, then lengths of matches, then the end. */
  LENGTHS = 256,
  END = LENGTHS + MAX_MATCH - MIN_MATCH + 1,
  SYMBOLS,
  MAX_CODE = 24
};

typedef struct {
  uint8_t *bytes;
  size_t size, capacity;
  uint32_t held;
  int held_bits;
} BitWriter;

typedef struct {
  const uint8_t *bytes;
  size_t size, at;
  uint32_t held;
  int held_bits;
} BitReader;

typedef struct {
  uint16_t symbol, distance;
} Token;

typedef struct Node {
  uint32_t weight;
  int symbol;
  struct Node *left, *right;
} Node;

typedef struct {
  uint32_t code[SYMBOLS];
  uint8_t length[SYMBOLS];
} Codes;

static int32_t head[1 << HASH_BITS], previous[WINDOW];

static const char *const words[] = {"page",  "table", "walk",   "entry", "of ",   "the ",  "a ",   "and ",
                                    "guest", "host",  "memory", "hot ",  "cold ", "tier ", "dirty", "bit "};

static void *allocate(size_t count, size_t size) {
  void *block = calloc(count, size);
  if (!block) {
    fprintf(stderr, "archive: out of memory\n");
    exit(1);
  }
  return block;
}

/* ---- the text ---- */

static uint32_t random_state = 12345;

static uint32_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

static uint8_t *make_text(size_t size) {
  uint8_t *text = allocate(size + 1, 1);
  size_t at = 0;
  while (at < size) {
    const char *word = words[next_random() % (sizeof words / sizeof *words)];
    size_t length = strlen(word);
    if (length > size - at) length = size - at;
    memcpy(text + at, word, length);
    at += length;
    if (at < size && next_random() % 8 == 0) text[at++] = (uint8_t)('0' + next_random() % 10);
  }
  return text;
}

/* ---- matches ---- */

static uint32_t hash(const uint8_t *p) {
  uint32_t value = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
  return value * 2654435761u >> (32 - HASH_BITS);
}

static void enter(const uint8_t *text, size_t at) {
  uint32_t slot = hash(text + at);
  previous[at % WINDOW] = head[slot];
  head[slot] = (int32_t)at;
}

static size_t match_length(const uint8_t *a, const uint8_t *b, size_t limit) {
  size_t length = 0;
  while (length < limit && a[length] == b[length]) length++;
  return length;
}

static size_t longest_match(const uint8_t *text, size_t at, size_t size, size_t *distance) {
  size_t best = 0, limit = size - at < MAX_MATCH ? size - at : MAX_MATCH;
  int32_t candidate = head[hash(text + at)];
  for (int tries = 0; tries < CHAIN && candidate >= 0 && at - (size_t)candidate < WINDOW; tries++) {
    size_t length = match_length(text + candidate, text + at, limit);
    if (length > best) {
      best = length;
      *distance = at - (size_t)candidate;
      if (best == limit) break;
    }
    candidate = previous[(size_t)candidate % WINDOW];
  }
  return best;
}

static size_t tokenise(const uint8_t *text, size_t size, Token *tokens) {
  size_t count = 0, at = 0;
  memset(head, 0xff, sizeof head);
  memset(previous, 0xff, sizeof previous);
  while (at < size) {
    size_t distance = 0, length = size - at >= MIN_MATCH ? longest_match(text, at, size, &distance) : 0;
    Token token = {text[at], 0};
    if (length >= MIN_MATCH) {
      token.symbol = (uint16_t)(LENGTHS + length - MIN_MATCH);
      token.distance = (uint16_t)distance;
    } else {
      length = 1;
    }
    tokens[count++] = token;
    for (; length > 0; length--, at++)
      if (size - at >= MIN_MATCH) enter(text, at);
  }
  tokens[count++] = (Token){END, 0};
  return count;
}

/* ---- codes ---- */

static int by_weight(const void *a, const void *b) {
  const Node *x = *(Node *const *)a, *y = *(Node *const *)b;
  if (x->weight != y->weight) return x->weight < y->weight ? -1 : 1;
  return x->symbol - y->symbol;
}

static void measure(const Node *node, int depth, Codes *codes) {
  if (node->left) {
    measure(node->left, depth + 1, codes);
    measure(node->right, depth + 1, codes);
    return;
  }
  codes->length[node->symbol] = (uint8_t)(depth > 0 ? depth : 1);
}

static void number_codes(Codes *codes) {
  uint32_t first[MAX_CODE + 2] = {0}, used[MAX_CODE + 2] = {0};
  for (int s = 0; s < SYMBOLS; s++) used[codes->length[s]]++;
  used[0] = 0;
  for (int length = 1; length <= MAX_CODE; length++) first[length + 1] = (first[length] + used[length]) << 1;
  for (int s = 0; s < SYMBOLS; s++)
    if (codes->length[s]) codes->code[s] = first[codes->length[s]]++;
}

/* Two sorted queues: the leaves by weight, and the inner nodes, which are made in order of weight. */
static void make_codes(const Token *tokens, size_t count, Codes *codes) {
  Node *nodes = allocate(2 * SYMBOLS, sizeof *nodes);
  Node *leaves[SYMBOLS];
  size_t leaf_count = 0, made = SYMBOLS, leaf = 0, inner = SYMBOLS;
  for (int s = 0; s < SYMBOLS; s++) nodes[s].symbol = s;
  for (size_t i = 0; i < count; i++) nodes[tokens[i].symbol].weight++;
  for (int s = 0; s < SYMBOLS; s++)
    if (nodes[s].weight) leaves[leaf_count++] = &nodes[s];
  qsort(leaves, leaf_count, sizeof *leaves, by_weight);
  Node *root = leaves[0];
  for (size_t merges = 1; merges < leaf_count; merges++) {
    Node *pair[2];
    for (int i = 0; i < 2; i++) {
      if (inner == made || (leaf < leaf_count && leaves[leaf]->weight <= nodes[inner].weight))
        pair[i] = leaves[leaf++];
      else
        pair[i] = &nodes[inner++];
    }
    root = &nodes[made++];
    *root = (Node){pair[0]->weight + pair[1]->weight, -1, pair[0], pair[1]};
  }
  measure(root, 0, codes);
  number_codes(codes);
  free(nodes);
}

/* ---- bits ---- */

static void put(BitWriter *out, uint32_t value, int bits) {
  while (bits > 0) {
    bits--;
    out->held = out->held << 1 | (value >> bits & 1);
    if (++out->held_bits < 8) continue;
    if (out->size == out->capacity) {
      out->capacity = out->capacity ? out->capacity * 2 : 64;
      out->bytes = realloc(out->bytes, out->capacity);
      if (!out->bytes) exit(1);
    }
    out->bytes[out->size++] = (uint8_t)out->held;
    out->held = 0;
    out->held_bits = 0;
  }
}

static uint32_t get(BitReader *in, int bits) {
  uint32_t value = 0;
  for (; bits > 0; bits--) {
    if (in->held_bits == 0) {
      in->held = in->at < in->size ? in->bytes[in->at++] : 0;
      in->held_bits = 8;
    }
    value = value << 1 | (in->held >> --in->held_bits & 1);
  }
  return value;
}

static void pack(const Token *tokens, size_t count, const Codes *codes, BitWriter *out) {
  for (int s = 0; s < SYMBOLS; s++) put(out, codes->length[s], 5);
  for (size_t i = 0; i < count; i++) {
    const Token *token = &tokens[i];
    put(out, codes->code[token->symbol], codes->length[token->symbol]);
    if (token->distance) put(out, token->distance, 12);
  }
  put(out, 0, 7);
}

/* Symbols in the order of their codes, and for each length the first code and where its symbols begin. */
typedef struct {
  uint32_t first[MAX_CODE + 2], begin[MAX_CODE + 2], count[MAX_CODE + 2];
  uint16_t symbols[SYMBOLS];
} Decoder;

static Decoder read_codes(BitReader *in) {
  Codes codes = {0};
  Decoder decoder = {0};
  for (int s = 0; s < SYMBOLS; s++) codes.length[s] = (uint8_t)get(in, 5);
  for (int s = 0; s < SYMBOLS; s++)
    if (codes.length[s]) decoder.count[codes.length[s]]++;
  for (int length = 1; length <= MAX_CODE; length++) {
    decoder.first[length + 1] = (decoder.first[length] + decoder.count[length]) << 1;
    decoder.begin[length + 1] = decoder.begin[length] + decoder.count[length];
  }
  uint32_t at = 0;
  for (int length = 1; length <= MAX_CODE; length++)
    for (int s = 0; s < SYMBOLS; s++)
      if (codes.length[s] == length) decoder.symbols[at++] = (uint16_t)s;
  return decoder;
}

static int next_symbol(const Decoder *decoder, BitReader *in) {
  uint32_t code = 0;
  for (int length = 1; length <= MAX_CODE; length++) {
    code = code << 1 | get(in, 1);
    uint32_t offset = code - decoder->first[length];
    if (code >= decoder->first[length] && offset < decoder->count[length])
      return decoder->symbols[decoder->begin[length] + offset];
  }
  return END;
}

static size_t unpack(BitReader *in, uint8_t *text, size_t size) {
  Decoder decoder = read_codes(in);
  size_t at = 0;
  for (int symbol; at < size && (symbol = next_symbol(&decoder, in)) != END;) {
    if (symbol < LENGTHS) {
      text[at++] = (uint8_t)symbol;
      continue;
    }
    size_t length = (size_t)(symbol - LENGTHS + MIN_MATCH), distance = get(in, 12);
    if (distance >= length) {
      memcpy(text + at, text + at - distance, length);
      at += length;
    } else {
      for (; length > 0; length--, at++) text[at] = text[at - distance];
    }
  }
  return at;
}

static uint32_t checksum(const uint8_t *bytes, size_t size) {
  uint32_t a = 1, b = 0;
  for (size_t i = 0; i < size; i++) {
    a = (a + bytes[i]) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

int main(int argc, char **argv) {
  size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
  if (size < 16) return 2;
  uint8_t *text = make_text(size), *back = allocate(size, 1);
  Token *tokens = allocate(size + 1, sizeof *tokens);
  Codes *codes = allocate(1, sizeof *codes);
  BitWriter out = {0};
  size_t count = tokenise(text, size, tokens);
  make_codes(tokens, count, codes);
  pack(tokens, count, codes, &out);
  BitReader in = {.bytes = out.bytes, .size = out.size};
  size_t unpacked = unpack(&in, back, size);
  int same = unpacked == size && memcmp(text, back, size) == 0;
  printf("%zu bytes, %zu tokens, %zu packed, %08x %s\n", size, count, out.size, checksum(back, size),
         same ? "same" : "DIFFERENT");
  free(text);
  free(back);
  free(tokens);
  free(codes);
  free(out.bytes);
  return same ? 0 : 1;
}
