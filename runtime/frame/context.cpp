// Contexts: a tree in which children keep their parents, and parents only know their children.
//
// Lock order: a context's mutex before its children's. A child that ends by itself takes itself out
// of its parent when it holds no lock.
#include "goro/context.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "goro/sync.h"

namespace goro {

namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "context"; }
  [[nodiscard]] std::string message(int error) const override {
    return error == static_cast<int>(ContextError::canceled) ? "context canceled"
                                                             : "context deadline exceeded";
  }
  [[nodiscard]] std::error_condition default_error_condition(int error) const noexcept override {
    return std::make_error_condition(error == static_cast<int>(ContextError::canceled)
                                         ? std::errc::operation_canceled
                                         : std::errc::timed_out);
  }
};

const Category category;

}  // namespace

std::error_code make_error_code(ContextError error) {
  return {static_cast<int>(error), category};
}

namespace detail {

class ContextCore : public std::enable_shared_from_this<ContextCore> {
 public:
  explicit ContextCore(std::shared_ptr<ContextCore> parent) : parent_(std::move(parent)) {
    if (parent_ != nullptr) deadline_ = parent_->deadline_;
  }
  ~ContextCore() {
    if (timer_) timer_->stop();
    if (parent_ != nullptr) parent_->forget(this);
  }
  ContextCore(const ContextCore&) = delete;
  ContextCore& operator=(const ContextCore&) = delete;

  // Ends with the parent, which may have ended already.
  void follow_parent() {
    if (parent_ == nullptr) return;
    std::error_code ended;
    parent_->mutex_.lock();
    ended = parent_->error_;
    if (!ended) parent_->children_.push_back(Child{this, weak_from_this()});
    parent_->mutex_.unlock();
    if (ended) end(ended);
  }

  void set_deadline(time_point deadline) {
    if (deadline_ && *deadline_ <= deadline) return;  // the parent's is earlier
    deadline_ = deadline;
    const auto left = deadline - now();
    if (left <= left.zero()) {
      end(ContextError::deadline_exceeded);
      return;
    }
    const std::weak_ptr<ContextCore> self = weak_from_this();
    mutex_.lock();
    if (!error_) {
      timer_ = after_func(left, [self] {
        if (const auto core = self.lock()) core->end(ContextError::deadline_exceeded);
      });
    }
    mutex_.unlock();
  }

  // The first call counts.
  void end(std::error_code why) {
    std::vector<Child> children;
    mutex_.lock();
    if (error_) {
      mutex_.unlock();
      return;
    }
    error_ = why;
    children.swap(children_);
    if (timer_) timer_->stop();
    done_.close();
    mutex_.unlock();
    for (const Child& child : children) {
      if (const auto core = child.core.lock()) core->end(why);
    }
    if (parent_ != nullptr) parent_->forget(this);
  }

  [[nodiscard]] ReceiveChannel<std::monostate> done() const { return done_; }
  [[nodiscard]] std::error_code error() {
    mutex_.lock();
    const std::error_code error = error_;
    mutex_.unlock();
    return error;
  }
  [[nodiscard]] std::optional<time_point> deadline() const { return deadline_; }

 private:
  struct Child {
    const ContextCore* address;
    std::weak_ptr<ContextCore> core;
  };

  void forget(const ContextCore* child) {
    mutex_.lock();
    const auto at = std::find_if(children_.begin(), children_.end(),
                                 [child](const Child& c) { return c.address == child; });
    if (at != children_.end()) {
      std::swap(*at, children_.back());
      children_.pop_back();
    }
    mutex_.unlock();
  }

  const std::shared_ptr<ContextCore> parent_;
  const Channel<std::monostate> done_;
  std::optional<time_point> deadline_;  // before anybody else knows of this context
  Mutex mutex_;
  std::error_code error_;
  std::vector<Child> children_;
  std::optional<Timer> timer_;
};

struct ContextAccess {
  static Context background() { return {}; }
  static const std::shared_ptr<ContextCore>& core(const Context& context) { return context.core_; }
  static ContextCore* core(const Cancel& cancel) { return cancel.core_.get(); }
  static CancellableContext make(const Context& parent, const std::optional<time_point>& deadline) {
    Context context;
    Cancel cancel;
    context.core_ = std::make_shared<ContextCore>(parent.core_);
    cancel.core_ = context.core_;
    if (deadline) context.core_->set_deadline(*deadline);
    context.core_->follow_parent();
    return {std::move(context), std::move(cancel)};
  }
};

}  // namespace detail

using detail::ContextAccess;

ReceiveChannel<std::monostate> Context::done() const {
  return core_ == nullptr ? ReceiveChannel<std::monostate>(nullptr) : core_->done();
}

std::error_code Context::error() const {
  return core_ == nullptr ? std::error_code() : core_->error();
}

std::optional<time_point> Context::deadline() const {
  return core_ == nullptr ? std::nullopt : core_->deadline();
}

void Cancel::operator()() const {
  core_->end(ContextError::canceled);
}

Context background() {
  return ContextAccess::background();
}

CancellableContext with_cancel(const Context& parent) {
  return ContextAccess::make(parent, std::nullopt);
}

CancellableContext with_deadline(const Context& parent, time_point deadline) {
  return ContextAccess::make(parent, deadline);
}

}  // namespace goro
