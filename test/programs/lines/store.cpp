// store ORDERS: an order book of a shop: a B-tree template keyed by order number, prices by virtual calls, customers in
// a hash map, lines of an order in vectors, names in strings of both kinds (in place and on the heap), sorting with a
// lambda. What C++ programs are made of, without threads.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace shop {

class Random {
  std::uint64_t state;

public:
  explicit Random(std::uint64_t seed) : state(seed) {}
  std::uint32_t below(std::uint32_t limit) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint32_t>(state >> 33) % limit;
  }
};

struct Tariff {
  virtual ~Tariff() = default;
  virtual double price(int units) const = 0;
};
struct Flat : Tariff {
  double each;
  explicit Flat(double e) : each(e) {}
  double price(int units) const override { return each * units; }
};
struct Bulk : Tariff {
  double each, less;
  int from;
  Bulk(double e, double l, int f) : each(e), less(l), from(f) {}
  double price(int units) const override { return units < from ? each * units : (each - less) * units; }
};

struct Line {
  int article;
  int units;
};

struct Order {
  std::uint32_t number = 0;
  std::string customer;
  std::vector<Line> lines;
};

// A B-tree of unique keys: nodes of up to 2 T - 1 keys, split on the way down.
template <class Key, class Value, int T = 4> class BTree {
  struct Node {
    int count = 0;
    bool leaf = true;
    Key keys[2 * T - 1];
    Value values[2 * T - 1];
    std::unique_ptr<Node> children[2 * T];
  };
  std::unique_ptr<Node> root = std::make_unique<Node>();
  std::size_t nodes = 1;

  static int position(const Node &node, const Key &key) {
    int i = 0;
    while (i < node.count && node.keys[i] < key) i++;
    return i;
  }

  void split(Node &parent, int at) {
    Node &full = *parent.children[at];
    auto right = std::make_unique<Node>();
    nodes++;
    right->leaf = full.leaf;
    right->count = T - 1;
    for (int i = 0; i < T - 1; i++) {
      right->keys[i] = full.keys[i + T];
      right->values[i] = std::move(full.values[i + T]);
    }
    if (!full.leaf)
      for (int i = 0; i < T; i++) right->children[i] = std::move(full.children[i + T]);
    full.count = T - 1;
    for (int i = parent.count; i > at; i--) {
      parent.keys[i] = parent.keys[i - 1];
      parent.values[i] = std::move(parent.values[i - 1]);
      parent.children[i + 1] = std::move(parent.children[i]);
    }
    parent.keys[at] = full.keys[T - 1];
    parent.values[at] = std::move(full.values[T - 1]);
    parent.children[at + 1] = std::move(right);
    parent.count++;
  }

public:
  bool insert(const Key &key, Value value) {
    if (root->count == 2 * T - 1) {
      auto above = std::make_unique<Node>();
      nodes++;
      above->leaf = false;
      above->children[0] = std::move(root);
      root = std::move(above);
      split(*root, 0);
    }
    Node *node = root.get();
    for (;;) {
      int i = position(*node, key);
      if (i < node->count && node->keys[i] == key) return false;
      if (node->leaf) {
        for (int j = node->count; j > i; j--) {
          node->keys[j] = node->keys[j - 1];
          node->values[j] = std::move(node->values[j - 1]);
        }
        node->keys[i] = key;
        node->values[i] = std::move(value);
        node->count++;
        return true;
      }
      if (node->children[i]->count == 2 * T - 1) {
        split(*node, i);
        if (node->keys[i] == key) return false;
        if (node->keys[i] < key) i++;
      }
      node = node->children[i].get();
    }
  }

  Value *find(const Key &key) {
    for (Node *node = root.get();;) {
      int i = position(*node, key);
      if (i < node->count && node->keys[i] == key) return &node->values[i];
      if (node->leaf) return nullptr;
      node = node->children[i].get();
    }
  }

  std::size_t size() const { return nodes; }
};

class Shop {
  std::vector<std::unique_ptr<Tariff>> articles;
  BTree<std::uint32_t, Order> orders;
  std::unordered_map<std::string, double> spent;

public:
  explicit Shop(int count) {
    for (int i = 0; i < count; i++)
      if (i % 3)
        articles.push_back(std::make_unique<Flat>(1.25 * i));
      else
        articles.push_back(std::make_unique<Bulk>(2.0 * i, 0.5, 5));
  }

  bool place(std::uint32_t number, std::string customer, std::vector<Line> lines) {
    Order order;
    order.number = number;
    order.customer = std::move(customer);
    order.lines = std::move(lines);
    return orders.insert(number, std::move(order));
  }

  double total(const Order &order) const {
    double sum = 0;
    for (const Line &line : order.lines) sum += articles[static_cast<std::size_t>(line.article)]->price(line.units);
    return sum;
  }

  bool bill(std::uint32_t number) {
    Order *order = orders.find(number);
    if (!order) return false;
    spent[order->customer] += total(*order);
    return true;
  }

  std::vector<std::pair<std::string, double>> best() const {
    std::vector<std::pair<std::string, double>> all(spent.begin(), spent.end());
    std::sort(all.begin(), all.end(), [](const auto &a, const auto &b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    return all;
  }

  std::size_t nodes() const { return orders.size(); }
};

} // namespace shop

int main(int argc, char **argv) {
  std::uint32_t count = argc > 1 ? static_cast<std::uint32_t>(std::strtoul(argv[1], nullptr, 10)) : 500;
  shop::Shop shop(40);
  shop::Random random(7);
  std::uint32_t placed = 0, billed = 0;
  for (std::uint32_t i = 0; i < count; i++) {
    std::string customer = i % 4 ? "C" + std::to_string(random.below(50))
                                 : "a customer with a long name, number " + std::to_string(random.below(20));
    std::vector<shop::Line> lines;
    for (std::uint32_t n = 1 + random.below(6); n > 0; n--)
      lines.push_back({static_cast<int>(random.below(40)), static_cast<int>(1 + random.below(9))});
    placed += shop.place(random.below(4 * count), std::move(customer), std::move(lines));
  }
  for (std::uint32_t number = 0; number < 4 * count; number++) billed += shop.bill(number);
  auto best = shop.best();
  std::printf("%u placed, %u billed, %zu nodes, best: %s %.2f\n", placed, billed, shop.nodes(), best[0].first.c_str(),
              best[0].second);
  return placed == billed && placed > 0 ? 0 : 1;
}
