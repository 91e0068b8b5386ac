/*
 * A small ray tracer: the program that Pagelens profiles when no other is named.
 *
 *   raytracer [WIDTH HEIGHT [PASSES [DETAIL [FILE.ppm]]]]
 *
 * It draws hills, a knot and a few hundred balls, all generated, so that it needs no input files. The picture is beside
 * the point: the data structures are. Each of them is used in its own way, and a profile shows which is which:
 *
 *   nodes        the bounding volume hierarchy. Built once, then read by every ray: hot and read-mostly.
 *   triangles,   read where a ray comes close to a surface: hot where the camera looks, cold behind the hills.
 *   vertices
 *   texture      read once a hit, wherever the hit lies: warm, scattered.
 *   sky          read by rays that hit nothing and once a shaded point.
 *   frame        the float frame buffer: written by every pass, read to add to it and once at the end: write-mostly.
 *   tiles        statistics: one page or two, updated with every ray.
 *   history      a copy of the frame after each pass, in case somebody wants it back: written in bulk, never read.
 *   gamut        a colour table of 2 MiB, of which the few saturated pixels use a few entries: cold.
 *   boxes, keys  scratch memory of the builder: busy in the first phase, then freed.
 *
 * By default it makes about a hundred million accesses; `raytracer 604 453` makes about a thousand million.
 *
 * The program runs in four phases (build, render, tone-map, output), which show as bands in the heatmap. Its output
 * depends on its arguments alone.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Vectors -------------------------------------------------------------------------------------------------- */

typedef struct { float x, y, z; } Vec;

static inline Vec vec(float x, float y, float z) { return (Vec){x, y, z}; }
static inline Vec add(Vec a, Vec b) { return vec(a.x + b.x, a.y + b.y, a.z + b.z); }
static inline Vec sub(Vec a, Vec b) { return vec(a.x - b.x, a.y - b.y, a.z - b.z); }
static inline Vec scale(Vec a, float s) { return vec(a.x * s, a.y * s, a.z * s); }
static inline Vec mul(Vec a, Vec b) { return vec(a.x * b.x, a.y * b.y, a.z * b.z); }
static inline float dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static inline Vec unit(Vec a) { return scale(a, 1.0f / sqrtf(dot(a, a))); }
static inline Vec mix(Vec a, Vec b, float t) { return add(scale(a, 1.0f - t), scale(b, t)); }

static inline Vec cross(Vec a, Vec b) {
  return vec(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}

static inline Vec lower(Vec a, Vec b) { return vec(fminf(a.x, b.x), fminf(a.y, b.y), fminf(a.z, b.z)); }
static inline Vec upper(Vec a, Vec b) { return vec(fmaxf(a.x, b.x), fmaxf(a.y, b.y), fmaxf(a.z, b.z)); }

static inline float clamp(float value, float low, float high) { return fminf(fmaxf(value, low), high); }

/* ---- Numbers without a pattern, the same in every run ------------------------------------------------------------ */

static inline uint32_t hash(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ (x >> 16);
}

/* From 0 (inclusive) to 1 (exclusive). */
static inline float unit_random(uint32_t key) { return (float)(hash(key) >> 8) * 0x1p-24f; }

/* Smooth value noise over the plane, 0 to 1. */
static float noise(float x, float y, uint32_t seed) {
  float fx = floorf(x), fy = floorf(y);
  float tx = x - fx, ty = y - fy;
  uint32_t key = (uint32_t)((int32_t)fx * 8191 + (int32_t)fy * 131071) + seed;
  float a = unit_random(key), b = unit_random(key + 8191);
  float c = unit_random(key + 131071), d = unit_random(key + 131071 + 8191);
  tx = tx * tx * (3.0f - 2.0f * tx);
  ty = ty * ty * (3.0f - 2.0f * ty);
  return (a * (1.0f - tx) + b * tx) * (1.0f - ty) + (c * (1.0f - tx) + d * tx) * ty;
}

/* ---- The scene --------------------------------------------------------------------------------------------------- */

typedef struct {
  Vec position, normal;
  float u, v;
} Vertex;

typedef struct {
  uint32_t corner[3];
  uint32_t material;
} Triangle;

typedef struct {
  Vec centre;
  float radius;
  uint32_t material;
} Sphere;

typedef struct {
  Vec colour;
  float mirror;  /* share of the light that is reflected, 0 to 1 */
  bool textured;
} Material;

/* A box of the hierarchy. An inner node (count 0) has its children at `first` and `first + 1`; a leaf holds the
 * primitives order[first] .. order[first + count - 1]. 32 bytes: two nodes to a cache line, 128 to a page. */
typedef struct {
  Vec low;
  uint32_t first;
  Vec high;
  uint32_t count;
} Node;

enum { TEXTURE = 1024, SKY_WIDTH = 512, SKY_HEIGHT = 256, GAMUT = 64, LEAF = 4, MATERIALS = 8 };

/* Global, since there is one of each: Pagelens lists globals by name, next to the heap. */
static Material materials[MATERIALS];
static float gamma_curve[4096];

typedef struct {
  Vertex *vertices;
  Triangle *triangles;
  Sphere *spheres;
  uint32_t vertex_count, triangle_count, sphere_count;

  Node *nodes;
  uint32_t *order; /* primitives sorted along a space-filling curve; spheres are numbered after the triangles */
  uint32_t node_count;

  uint32_t *texture; /* TEXTURE x TEXTURE, 8 bits a channel */
  Vec *sky;          /* SKY_WIDTH x SKY_HEIGHT */
} Scene;

static void *allocate(size_t count, size_t size) {
  void *block = calloc(count, size);
  if (!block) {
    fprintf(stderr, "raytracer: no memory for %zu x %zu bytes\n", count, size);
    exit(1);
  }
  return block;
}

/* A grid of quads over existing vertices, two triangles each. */
static void add_grid(Scene *scene, uint32_t base, uint32_t columns, uint32_t rows, bool closed, uint32_t material) {
  uint32_t last_column = closed ? columns : columns - 1, last_row = closed ? rows : rows - 1;
  for (uint32_t row = 0; row < last_row; row++) {
    for (uint32_t column = 0; column < last_column; column++) {
      uint32_t right = (column + 1) % columns, below = (row + 1) % rows;
      uint32_t a = base + row * columns + column, b = base + row * columns + right;
      uint32_t c = base + below * columns + column, d = base + below * columns + right;
      scene->triangles[scene->triangle_count++] = (Triangle){{a, c, b}, material};
      scene->triangles[scene->triangle_count++] = (Triangle){{b, c, d}, material};
    }
  }
}

static float hill_height(float x, float z) {
  float far = clamp((x * x + z * z) * 0.012f - 0.3f, 0.0f, 1.0f);
  return far * (6.0f * noise(x * 0.15f, z * 0.15f, 1) + 1.2f * noise(x * 0.7f, z * 0.7f, 2)) - 2.0f;
}

static void add_hills(Scene *scene, uint32_t side) {
  uint32_t base = scene->vertex_count;
  for (uint32_t row = 0; row < side; row++) {
    for (uint32_t column = 0; column < side; column++) {
      float u = (float)column / (float)(side - 1), v = (float)row / (float)(side - 1);
      float x = (u - 0.5f) * 48.0f, z = (v - 0.5f) * 48.0f, step = 0.05f;
      float height = hill_height(x, z);
      Vec normal = vec(height - hill_height(x + step, z), step, height - hill_height(x, z + step));
      scene->vertices[scene->vertex_count++] = (Vertex){vec(x, height, z), unit(normal), u * 6.0f, v * 6.0f};
    }
  }
  add_grid(scene, base, side, side, false, 0);
}

/* A (2, 3) torus knot: a ring of circles along a closed curve. */
static Vec knot_curve(float t) {
  float radius = 2.0f + 0.8f * cosf(3.0f * t);
  return vec(radius * cosf(2.0f * t), 0.9f + 0.9f * sinf(3.0f * t), radius * sinf(2.0f * t));
}

static void add_knot(Scene *scene, uint32_t length, uint32_t around) {
  const float turn = 6.28318530718f;
  uint32_t base = scene->vertex_count;
  for (uint32_t i = 0; i < length; i++) {
    float t = turn * (float)i / (float)length;
    Vec centre = knot_curve(t);
    Vec along = unit(sub(knot_curve(t + 0.01f), centre));
    Vec side = unit(cross(along, vec(0.0f, 1.0f, 0.0f)));
    Vec up = cross(side, along);
    for (uint32_t j = 0; j < around; j++) {
      float angle = turn * (float)j / (float)around;
      Vec normal = add(scale(side, cosf(angle)), scale(up, sinf(angle)));
      float u = 40.0f * (float)i / (float)length, v = 2.0f * (float)j / (float)around;
      scene->vertices[scene->vertex_count++] = (Vertex){add(centre, scale(normal, 0.38f)), normal, u, v};
    }
  }
  add_grid(scene, base, around, length, true, 1);
}

static void add_balls(Scene *scene, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    float turn = 2.39996f * (float)i, distance = 3.6f + 0.42f * sqrtf((float)i);
    float radius = 0.14f + 0.3f * unit_random(i * 7 + 3);
    float x = distance * cosf(turn), z = distance * sinf(turn);
    Vec centre = vec(x, hill_height(x, z) + radius, z);
    scene->spheres[scene->sphere_count++] = (Sphere){centre, radius, 2 + hash(i) % (MATERIALS - 2)};
  }
}

static void make_materials(void) {
  materials[0] = (Material){vec(0.75f, 0.72f, 0.65f), 0.0f, true};
  materials[1] = (Material){vec(0.95f, 0.75f, 0.45f), 0.25f, true};
  for (uint32_t i = 2; i < MATERIALS; i++) {
    Vec colour = vec(unit_random(i * 3), unit_random(i * 3 + 1), unit_random(i * 3 + 2));
    materials[i] = (Material){add(scale(colour, 0.8f), vec(0.2f, 0.2f, 0.2f)), (float)(i % 3) * 0.3f, false};
  }
}

static uint32_t *make_texture(void) {
  uint32_t *texture = allocate((size_t)TEXTURE * TEXTURE, sizeof *texture);
  for (uint32_t y = 0; y < TEXTURE; y++) {
    for (uint32_t x = 0; x < TEXTURE; x++) {
      float grain = noise((float)x * 0.035f, (float)y * 0.035f, 9);
      uint32_t light = (uint32_t)(110.0f + 120.0f * grain) + hash(y * TEXTURE + x) % 24;
      texture[y * TEXTURE + x] = light | (light * 15 / 16) << 8 | (light * 13 / 16) << 16;
    }
  }
  return texture;
}

static Vec *make_sky(void) {
  Vec *sky = allocate((size_t)SKY_WIDTH * SKY_HEIGHT, sizeof *sky);
  for (uint32_t y = 0; y < SKY_HEIGHT; y++) {
    float height = 1.0f - 2.0f * ((float)y + 0.5f) / SKY_HEIGHT;
    Vec clear = mix(vec(0.85f, 0.88f, 0.95f), vec(0.25f, 0.45f, 0.85f), clamp(height * 1.6f, 0.0f, 1.0f));
    for (uint32_t x = 0; x < SKY_WIDTH; x++) {
      float cloud = noise((float)x * 0.03f, (float)y * 0.06f, 17) + 0.5f * noise((float)x * 0.11f, (float)y * 0.2f, 18);
      sky[y * SKY_WIDTH + x] = mix(clear, vec(1.0f, 1.0f, 1.0f), clamp(cloud * 1.8f - 1.3f, 0.0f, 0.9f));
    }
  }
  return sky;
}

/* ---- Building the hierarchy -------------------------------------------------------------------------------------- */

/* What the builder keeps of a primitive: its box, and its place on the curve with its number, which are what is
 * sorted, since they are a third of the size. Both are freed before the first ray. */
typedef struct {
  Vec low, high;
} Box;

typedef struct {
  uint32_t code; /* place of its centre on the Morton curve, 30 bits */
  uint32_t primitive;
} Key;

static inline uint32_t spread_bits(uint32_t x) {
  x = (x | x << 16) & 0x030000ff;
  x = (x | x << 8) & 0x0300f00f;
  x = (x | x << 4) & 0x030c30c3;
  return (x | x << 2) & 0x09249249;
}

static void measure_primitives(const Scene *scene, Box *boxes) {
  for (uint32_t i = 0; i < scene->triangle_count; i++) {
    const uint32_t *corner = scene->triangles[i].corner;
    Vec a = scene->vertices[corner[0]].position;
    Vec b = scene->vertices[corner[1]].position;
    Vec c = scene->vertices[corner[2]].position;
    boxes[i] = (Box){lower(a, lower(b, c)), upper(a, upper(b, c))};
  }
  for (uint32_t i = 0; i < scene->sphere_count; i++) {
    const Sphere *ball = &scene->spheres[i];
    Vec reach = vec(ball->radius, ball->radius, ball->radius);
    boxes[scene->triangle_count + i] = (Box){sub(ball->centre, reach), add(ball->centre, reach)};
  }
}

static void place_on_curve(const Box *boxes, Key *keys, uint32_t count) {
  Vec low = boxes[0].low, high = boxes[0].high;
  for (uint32_t i = 1; i < count; i++) {
    low = lower(low, boxes[i].low);
    high = upper(high, boxes[i].high);
  }
  /* One scale for all three axes: cells are cubes, so that flat hills are not cut into thin slices. */
  Vec extent = sub(high, low);
  float cells = 1023.0f / fmaxf(extent.x, fmaxf(extent.y, extent.z));
  for (uint32_t i = 0; i < count; i++) {
    Vec centre = sub(scale(add(boxes[i].low, boxes[i].high), 0.5f), low);
    uint32_t x = (uint32_t)(centre.x * cells), y = (uint32_t)(centre.y * cells), z = (uint32_t)(centre.z * cells);
    keys[i] = (Key){spread_bits(x) << 2 | spread_bits(y) << 1 | spread_bits(z), i};
  }
}

/* Radix sort by code, 10 bits a pass: every pass reads in order and writes to a thousand places at once. */
static void sort_by_code(Key *keys, Key *scratch, uint32_t count) {
  static uint32_t start[1025];
  for (uint32_t shift = 0; shift < 30; shift += 10) {
    memset(start, 0, sizeof start);
    for (uint32_t i = 0; i < count; i++) start[(keys[i].code >> shift & 1023) + 1]++;
    for (uint32_t digit = 0; digit < 1024; digit++) start[digit + 1] += start[digit];
    for (uint32_t i = 0; i < count; i++) scratch[start[keys[i].code >> shift & 1023]++] = keys[i];
    Key *swap = keys;
    keys = scratch;
    scratch = swap;
  }
  memcpy(scratch, keys, count * sizeof *keys); /* three passes leave the result in the other array */
}

/* The first key of [first, end) whose code has the bit, given that all agree on the higher bits. */
static uint32_t split_at_bit(const Key *keys, uint32_t first, uint32_t end, uint32_t bit) {
  while (first < end) {
    uint32_t middle = first + (end - first) / 2;
    if (keys[middle].code & bit) end = middle;
    else first = middle + 1;
  }
  return first;
}

/* Builds the node `index` over the primitives [first, end) of the curve, whose codes agree above `bit`. */
static void build_node(Scene *scene, const Box *boxes, const Key *keys, uint32_t index, uint32_t first, uint32_t end,
                       uint32_t bit) {
  Node *node = &scene->nodes[index];
  if (end - first <= LEAF) {
    Box box = boxes[keys[first].primitive];
    for (uint32_t i = first + 1; i < end; i++) {
      box.low = lower(box.low, boxes[keys[i].primitive].low);
      box.high = upper(box.high, boxes[keys[i].primitive].high);
    }
    *node = (Node){box.low, first, box.high, end - first};
    return;
  }
  uint32_t middle = first;
  while (bit && (middle == first || middle == end)) {
    middle = split_at_bit(keys, first, end, bit);
    bit >>= 1;
  }
  if (middle == first || middle == end) middle = first + (end - first) / 2;
  uint32_t left = scene->node_count;
  scene->node_count += 2;
  build_node(scene, boxes, keys, left, first, middle, bit);
  build_node(scene, boxes, keys, left + 1, middle, end, bit);
  const Node *a = &scene->nodes[left], *b = &scene->nodes[left + 1];
  *node = (Node){lower(a->low, b->low), left, upper(a->high, b->high), 0};
}

static void build_hierarchy(Scene *scene) {
  uint32_t count = scene->triangle_count + scene->sphere_count;
  Box *boxes = allocate(count, sizeof *boxes);
  Key *keys = allocate(count, sizeof *keys), *scratch = allocate(count, sizeof *scratch);
  measure_primitives(scene, boxes);
  place_on_curve(boxes, keys, count);
  sort_by_code(keys, scratch, count);
  free(scratch);

  scene->order = allocate(count, sizeof *scene->order);
  for (uint32_t i = 0; i < count; i++) scene->order[i] = keys[i].primitive;
  scene->nodes = allocate(2 * (size_t)count, sizeof *scene->nodes); /* the most there can be; a third is used */
  scene->node_count = 1;
  build_node(scene, boxes, keys, 0, 0, count, 1u << 29);
  free(boxes);
  free(keys);
}

static Scene make_scene(uint32_t detail) {
  uint32_t side = 64 * detail, length = 160 * detail, around = 16 * detail, balls = 320;
  Scene scene = {0};
  make_materials();
  scene.texture = make_texture();
  scene.sky = make_sky();
  scene.vertices = allocate((size_t)side * side + (size_t)length * around, sizeof *scene.vertices);
  scene.triangles = allocate(2 * ((size_t)side * side + (size_t)length * around), sizeof *scene.triangles);
  scene.spheres = allocate(balls, sizeof *scene.spheres);
  add_hills(&scene, side);
  add_knot(&scene, length, around);
  add_balls(&scene, balls);
  build_hierarchy(&scene);
  return scene;
}

/* ---- Following rays ---------------------------------------------------------------------------------------------- */

typedef struct {
  Vec origin, direction, inverse;
} Ray;

typedef struct {
  float distance, u, v; /* u, v: place within a triangle */
  uint32_t primitive;
} Hit;

/* Work done for a tile of the picture: updated with every ray, one cache line a tile. */
typedef struct {
  uint32_t rays, hits, visited, tested;
  float brightest;
  uint32_t padding[11];
} Tile;

#define MISS UINT32_MAX
enum { TILE = 32 };

static inline Ray ray_from(Vec origin, Vec direction) {
  return (Ray){origin, direction, vec(1.0f / direction.x, 1.0f / direction.y, 1.0f / direction.z)};
}

/* Distance at which the ray enters the box; INFINITY when it misses or enters behind `limit`. */
static inline float enter_box(const Node *node, Ray ray, float limit) {
  float x0 = (node->low.x - ray.origin.x) * ray.inverse.x, x1 = (node->high.x - ray.origin.x) * ray.inverse.x;
  float y0 = (node->low.y - ray.origin.y) * ray.inverse.y, y1 = (node->high.y - ray.origin.y) * ray.inverse.y;
  float z0 = (node->low.z - ray.origin.z) * ray.inverse.z, z1 = (node->high.z - ray.origin.z) * ray.inverse.z;
  float enter = fmaxf(fmaxf(fminf(x0, x1), fminf(y0, y1)), fmaxf(fminf(z0, z1), 0.0f));
  float leave = fminf(fminf(fmaxf(x0, x1), fmaxf(y0, y1)), fminf(fmaxf(z0, z1), limit));
  return enter <= leave ? enter : INFINITY;
}

static inline bool hit_triangle(const Scene *scene, uint32_t index, Ray ray, Hit *hit) {
  const Triangle *triangle = &scene->triangles[index];
  Vec a = scene->vertices[triangle->corner[0]].position;
  Vec ab = sub(scene->vertices[triangle->corner[1]].position, a);
  Vec ac = sub(scene->vertices[triangle->corner[2]].position, a);
  Vec p = cross(ray.direction, ac);
  float determinant = dot(ab, p);
  if (fabsf(determinant) < 1e-9f) return false;
  float scale_by = 1.0f / determinant;
  Vec from = sub(ray.origin, a);
  float u = dot(from, p) * scale_by;
  if (u < 0.0f || u > 1.0f) return false;
  Vec q = cross(from, ab);
  float v = dot(ray.direction, q) * scale_by;
  if (v < 0.0f || u + v > 1.0f) return false;
  float distance = dot(ac, q) * scale_by;
  if (distance < 1e-3f || distance >= hit->distance) return false;
  *hit = (Hit){distance, u, v, index};
  return true;
}

static inline bool hit_sphere(const Scene *scene, uint32_t index, Ray ray, Hit *hit) {
  const Sphere *ball = &scene->spheres[index];
  Vec from = sub(ray.origin, ball->centre);
  float b = dot(from, ray.direction), c = dot(from, from) - ball->radius * ball->radius;
  float root = b * b - c;
  if (root < 0.0f) return false;
  root = sqrtf(root);
  float distance = -b - root > 1e-3f ? -b - root : -b + root;
  if (distance < 1e-3f || distance >= hit->distance) return false;
  *hit = (Hit){distance, 0.0f, 0.0f, scene->triangle_count + index};
  return true;
}

/* The nearest hit within `limit`, or with `any` the first that is found. Most accesses of the program happen here. */
static Hit trace(const Scene *scene, Ray ray, float limit, bool any, Tile *tile) {
  struct { uint32_t node; float enter; } stack[64];
  uint32_t depth = 1, visited = 0, tested = 0;
  Hit hit = {limit, 0.0f, 0.0f, MISS};
  stack[0].node = 0;
  stack[0].enter = 0.0f;
  while (depth) {
    depth--;
    if (stack[depth].enter >= hit.distance) continue; /* something nearer was found meanwhile */
    const Node *node = &scene->nodes[stack[depth].node];
    visited++;
    while (!node->count) {
      uint32_t near = node->first, far = near + 1;
      float near_enter = enter_box(&scene->nodes[near], ray, hit.distance);
      float far_enter = enter_box(&scene->nodes[far], ray, hit.distance);
      if (far_enter < near_enter) {
        float swap = near_enter;
        near_enter = far_enter;
        far_enter = swap;
        far = near++;
      }
      if (near_enter == INFINITY) break;
      if (far_enter != INFINITY) {
        stack[depth].node = far;
        stack[depth++].enter = far_enter;
      }
      node = &scene->nodes[near];
      visited++;
    }
    for (uint32_t i = node->first; i < node->first + node->count; i++) {
      uint32_t primitive = scene->order[i];
      bool found = primitive < scene->triangle_count
                       ? hit_triangle(scene, primitive, ray, &hit)
                       : hit_sphere(scene, primitive - scene->triangle_count, ray, &hit);
      tested++;
      if (found && any) {
        depth = 0;
        break;
      }
    }
  }
  tile->rays++;
  tile->hits += hit.primitive != MISS;
  tile->visited += visited;
  tile->tested += tested;
  return hit;
}

/* ---- Light ------------------------------------------------------------------------------------------------------- */

static const Vec SUN = {0.48f, 0.64f, 0.6f};

static Vec sky_colour(const Scene *scene, Vec direction) {
  float around = atan2f(direction.z, direction.x) * 0.15915494f + 0.5f;
  uint32_t x = (uint32_t)(around * (SKY_WIDTH - 1)), y = (uint32_t)((1.0f - direction.y) * 0.5f * (SKY_HEIGHT - 1));
  return scene->sky[(y % SKY_HEIGHT) * SKY_WIDTH + x % SKY_WIDTH];
}

/* Bilinear: four texels, which lie in two rows and so mostly in two pages. */
static Vec texture_colour(const Scene *scene, float u, float v) {
  float x = (u - floorf(u)) * TEXTURE, y = (v - floorf(v)) * TEXTURE;
  uint32_t x0 = (uint32_t)x % TEXTURE, y0 = (uint32_t)y % TEXTURE, x1 = (x0 + 1) % TEXTURE, y1 = (y0 + 1) % TEXTURE;
  float tx = x - floorf(x), ty = y - floorf(y);
  uint32_t texel[4] = {scene->texture[y0 * TEXTURE + x0], scene->texture[y0 * TEXTURE + x1],
                       scene->texture[y1 * TEXTURE + x0], scene->texture[y1 * TEXTURE + x1]};
  float weight[4] = {(1 - tx) * (1 - ty), tx * (1 - ty), (1 - tx) * ty, tx * ty};
  Vec sum = {0};
  for (int i = 0; i < 4; i++) {
    Vec colour = vec((float)(texel[i] & 255), (float)(texel[i] >> 8 & 255), (float)(texel[i] >> 16 & 255));
    sum = add(sum, scale(colour, weight[i] / 255.0f));
  }
  return sum;
}

typedef struct {
  Vec point, normal, colour;
  float mirror;
} Surface;

static Surface surface_at(const Scene *scene, Ray ray, Hit hit) {
  Surface surface;
  surface.point = add(ray.origin, scale(ray.direction, hit.distance));
  const Material *material;
  float u = 0.0f, v = 0.0f;
  if (hit.primitive < scene->triangle_count) {
    const Triangle *triangle = &scene->triangles[hit.primitive];
    const Vertex *a = &scene->vertices[triangle->corner[0]];
    const Vertex *b = &scene->vertices[triangle->corner[1]];
    const Vertex *c = &scene->vertices[triangle->corner[2]];
    float rest = 1.0f - hit.u - hit.v;
    surface.normal = unit(add(scale(a->normal, rest), add(scale(b->normal, hit.u), scale(c->normal, hit.v))));
    u = a->u * rest + b->u * hit.u + c->u * hit.v;
    v = a->v * rest + b->v * hit.u + c->v * hit.v;
    material = &materials[triangle->material];
  } else {
    const Sphere *ball = &scene->spheres[hit.primitive - scene->triangle_count];
    surface.normal = scale(sub(surface.point, ball->centre), 1.0f / ball->radius);
    material = &materials[ball->material];
  }
  if (dot(surface.normal, ray.direction) > 0.0f) surface.normal = scale(surface.normal, -1.0f);
  surface.colour = material->textured ? mul(material->colour, texture_colour(scene, u, v)) : material->colour;
  surface.mirror = material->mirror;
  return surface;
}

/* ---- Rendering --------------------------------------------------------------------------------------------------- */

/* One pixel of the frame buffer. Eight fields are written, three are read again. */
typedef struct {
  Vec colour, normal;
  float distance;
  uint32_t primitive;
} Pixel;

typedef struct {
  uint32_t width, height, tile_columns, tile_count;
  Pixel *frame, *history;
  Tile *tiles;
} Picture;

/* Light that comes along a ray; what its first hit was is stored in the pixel. */
static Vec light_along(const Scene *scene, Ray ray, Pixel *pixel, Tile *tile) {
  Vec light = {0}, weight = {1.0f, 1.0f, 1.0f};
  for (int bounce = 0; bounce < 3; bounce++) {
    Hit hit = trace(scene, ray, INFINITY, false, tile);
    if (hit.primitive == MISS) {
      if (bounce == 0) *pixel = (Pixel){vec(0, 0, 0), vec(0, 0, 0), INFINITY, MISS};
      return add(light, mul(weight, sky_colour(scene, ray.direction)));
    }
    Surface surface = surface_at(scene, ray, hit);
    if (bounce == 0) *pixel = (Pixel){vec(0, 0, 0), surface.normal, hit.distance, hit.primitive};

    Vec direct = scale(sky_colour(scene, surface.normal), 0.45f);
    float facing = dot(surface.normal, SUN);
    if (facing > 0.0f) {
      Ray shadow = ray_from(add(surface.point, scale(surface.normal, 2e-3f)), SUN);
      if (trace(scene, shadow, INFINITY, true, tile).primitive == MISS) {
        direct = add(direct, scale(vec(1.25f, 1.15f, 0.95f), facing));
      }
    }
    light = add(light, scale(mul(weight, mul(surface.colour, direct)), 1.0f - surface.mirror));
    if (surface.mirror == 0.0f) break;
    weight = scale(mul(weight, surface.colour), surface.mirror);
    Vec reflected = sub(ray.direction, scale(surface.normal, 2.0f * dot(ray.direction, surface.normal)));
    ray = ray_from(add(surface.point, scale(surface.normal, 2e-3f)), unit(reflected));
  }
  return light;
}

static void render_tile(const Scene *scene, Picture *picture, uint32_t index, uint32_t pass) {
  const Vec eye = {-5.2f, 3.4f, -7.6f};
  const Vec forward = unit(sub(vec(0.0f, 0.4f, 0.0f), eye));
  const Vec right = unit(cross(vec(0.0f, 1.0f, 0.0f), forward)), up = cross(forward, right);
  Tile *tile = &picture->tiles[index];
  uint32_t left = index % picture->tile_columns * TILE, top = index / picture->tile_columns * TILE;
  for (uint32_t y = top; y < top + TILE && y < picture->height; y++) {
    for (uint32_t x = left; x < left + TILE && x < picture->width; x++) {
      uint32_t at = y * picture->width + x, seed = (pass * 0x9e3779b9u) ^ (at * 2);
      float px = ((float)x + unit_random(seed)) * 2.0f - (float)picture->width;
      float py = (float)picture->height - ((float)y + unit_random(seed + 1)) * 2.0f;
      float zoom = 0.62f / (float)picture->height;
      Vec direction = add(forward, add(scale(right, px * zoom), scale(up, py * zoom)));

      Pixel pixel;
      Vec light = light_along(scene, ray_from(eye, unit(direction)), &pixel, tile);
      pixel.colour = pass == 0 ? light : add(picture->frame[at].colour, light);
      picture->frame[at] = pixel;
      tile->brightest = fmaxf(tile->brightest, fmaxf(light.x, fmaxf(light.y, light.z)));
    }
  }
}

static void render(const Scene *scene, Picture *picture, uint32_t passes) {
  size_t bytes = (size_t)picture->width * picture->height * sizeof(Pixel);
  for (uint32_t pass = 0; pass < passes; pass++) {
    for (uint32_t index = 0; index < picture->tile_count; index++) render_tile(scene, picture, index, pass);
    memcpy(picture->history, picture->frame, bytes);
  }
}

/* ---- Tone-mapping and output ------------------------------------------------------------------------------------- */

/* A colour table as a printer would bring it: a table over red, green and blue, 16 bits a channel. */
static uint64_t *make_gamut(void) {
  uint64_t *gamut = allocate((size_t)GAMUT * GAMUT * GAMUT, sizeof *gamut);
  for (uint32_t i = 0; i < GAMUT * GAMUT * GAMUT; i++) {
    uint64_t red = i / (GAMUT * GAMUT), green = i / GAMUT % GAMUT, blue = i % GAMUT;
    uint64_t grey = (red * 2 + green * 5 + blue) / 8;
    gamut[i] = (red * 7 + grey) * 128 | (green * 7 + grey) * 128 << 16 | (blue * 7 + grey) * 128 << 32;
  }
  return gamut;
}

static uint8_t encode(float value) { return (uint8_t)gamma_curve[(uint32_t)(clamp(value, 0.0f, 1.0f) * 4095.0f)]; }

static void tone_map(const Picture *picture, const uint64_t *gamut, uint32_t passes, uint8_t *image) {
  float brightest = 1e-6f;
  for (uint32_t i = 0; i < picture->tile_count; i++) brightest = fmaxf(brightest, picture->tiles[i].brightest);
  float exposure = 1.25f / (brightest * (float)passes);
  for (int i = 0; i < 4096; i++) gamma_curve[i] = 255.0f * powf((float)i / 4095.0f, 1.0f / 2.2f);

  for (size_t i = 0; i < (size_t)picture->width * picture->height; i++) {
    Vec colour = scale(picture->frame[i].colour, exposure);
    float highest = fmaxf(colour.x, fmaxf(colour.y, colour.z)), lowest = fminf(colour.x, fminf(colour.y, colour.z));
    if (highest > 0.5f && lowest < 0.3f * highest) { /* saturated: only these pixels need the table */
      uint32_t red = (uint32_t)(clamp(colour.x, 0.0f, 1.0f) * (GAMUT - 1));
      uint32_t green = (uint32_t)(clamp(colour.y, 0.0f, 1.0f) * (GAMUT - 1));
      uint32_t blue = (uint32_t)(clamp(colour.z, 0.0f, 1.0f) * (GAMUT - 1));
      uint64_t entry = gamut[(red * GAMUT + green) * GAMUT + blue];
      colour = scale(vec((float)(entry & 0xffff), (float)(entry >> 16 & 0xffff), (float)(entry >> 32)), 1.0f / 65535.0f);
    }
    image[i * 3] = encode(colour.x);
    image[i * 3 + 1] = encode(colour.y);
    image[i * 3 + 2] = encode(colour.z);
  }
}

static uint32_t checksum(const uint8_t *bytes, size_t count) {
  uint32_t sum = 2166136261u; /* FNV-1a */
  for (size_t i = 0; i < count; i++) sum = (sum ^ bytes[i]) * 16777619u;
  return sum;
}

static void write_ppm(const char *path, const uint8_t *image, uint32_t width, uint32_t height) {
  FILE *file = fopen(path, "wb");
  bool written = file && fprintf(file, "P6\n%u %u\n255\n", width, height) > 0;
  written = written && fwrite(image, 3, (size_t)width * height, file) == (size_t)width * height;
  if (file && fclose(file) != 0) written = false;
  if (!written) {
    fprintf(stderr, "raytracer: cannot write %s: %s\n", path, strerror(errno));
    exit(1);
  }
}

/* ---- The program ------------------------------------------------------------------------------------------------- */

static uint32_t argument(int argc, char **argv, int index, uint32_t otherwise, uint32_t highest) {
  if (index >= argc) return otherwise;
  char *end;
  errno = 0;
  unsigned long value = strtoul(argv[index], &end, 10);
  if (errno || *end || end == argv[index] || value < 1 || value > highest) {
    fprintf(stderr, "raytracer: '%s' is not a number from 1 to %u\n", argv[index], highest);
    fprintf(stderr, "usage: raytracer [WIDTH HEIGHT [PASSES [DETAIL [FILE.ppm]]]]\n");
    exit(2);
  }
  return (uint32_t)value;
}

int main(int argc, char **argv) {
  uint32_t width = argument(argc, argv, 1, 160, 16384), height = argument(argc, argv, 2, 120, 16384);
  uint32_t passes = argument(argc, argv, 3, 3, 1000), detail = argument(argc, argv, 4, 5, 16);

  /* As programs do, this one prepares its tables first, and the data that it will use most at last. An operating
   * system that gives out fast memory in the order of first touch gives it to the wrong objects. */
  uint64_t *gamut = make_gamut();
  Scene scene = make_scene(detail);
  printf("scene: %u triangles, %u spheres, %u nodes\n", scene.triangle_count, scene.sphere_count, scene.node_count);

  Picture picture = {.width = width, .height = height, .tile_columns = (width + TILE - 1) / TILE};
  picture.tile_count = picture.tile_columns * ((height + TILE - 1) / TILE);
  picture.frame = allocate((size_t)width * height, sizeof(Pixel));
  picture.history = allocate((size_t)width * height, sizeof(Pixel));
  picture.tiles = allocate(picture.tile_count, sizeof(Tile));
  render(&scene, &picture, passes);

  uint64_t rays = 0, visited = 0, tested = 0;
  for (uint32_t i = 0; i < picture.tile_count; i++) {
    rays += picture.tiles[i].rays;
    visited += picture.tiles[i].visited;
    tested += picture.tiles[i].tested;
  }
  printf("render: %ux%u, %llu rays, %llu nodes visited, %llu primitives tested\n", width, height,
         (unsigned long long)rays, (unsigned long long)visited, (unsigned long long)tested);

  uint8_t *image = allocate((size_t)width * height, 3);
  tone_map(&picture, gamut, passes, image);
  if (argc > 5) write_ppm(argv[5], image, width, height);
  printf("checksum: %08x\n", checksum(image, (size_t)width * height * 3));

  free(image);
  free(picture.tiles);
  free(picture.history);
  free(picture.frame);
  free(gamut);
  free(scene.sky);
  free(scene.texture);
  free(scene.nodes);
  free(scene.order);
  free(scene.spheres);
  free(scene.triangles);
  free(scene.vertices);
  return 0;
}
