// Maps, virtual calls, exceptions through instrumented frames, strings, function-local statics, threads of C++.
#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct Shape {
  virtual ~Shape() = default;
  virtual double area() const = 0;
};
struct Square : Shape {
  double side;
  explicit Square(double s) : side(s) {}
  double area() const override { return side * side; }
};
struct Disc : Shape {
  double radius;
  explicit Disc(double r) : radius(r) {}
  double area() const override { return 3 * radius * radius; }
};
struct alignas(64) Line {
  int values[16];
};

static int thrower(int depth) {
  std::string text(static_cast<size_t>(depth) + 20, 'x');
  if (depth == 0) throw std::runtime_error(text);
  return thrower(depth - 1) + static_cast<int>(text.size());
}

static int &counter() {
  static int value = static_cast<int>(std::string("four").size());
  return value;
}

int main() {
  std::map<int, std::string> names;
  for (int i = 0; i < 300; i++) names[i * 7919 % 1009] = "name " + std::to_string(i);
  size_t letters = 0;
  for (auto &[number, name] : names) letters += name.size();

  std::vector<std::unique_ptr<Shape>> shapes;
  for (int i = 0; i < 200; i++)
    if (i % 3)
      shapes.push_back(std::make_unique<Square>(i));
    else
      shapes.push_back(std::make_unique<Disc>(i));
  double area = 0;
  for (auto &shape : shapes) area += shape->area();

  int caught = 0;
  for (int i = 0; i < 10; i++) try {
      thrower(i);
    } catch (const std::runtime_error &error) {
      caught += error.what()[0] == 'x';
    }
  try {
    volatile size_t huge = static_cast<size_t>(-1) / 4;
    char *volatile block = new char[huge];
    delete[] block;
  } catch (const std::bad_alloc &) {
    caught++;
  }

  auto line = std::make_unique<Line>();
  line->values[3] = 1;
  std::thread other([] { counter()++; });
  other.join();
  std::printf("%zu %g %d %d\n", letters, area, caught, counter());
  return caught == 11 && counter() == 5 ? 0 : 1;
}
