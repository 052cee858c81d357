// SPDX-License-Identifier: MIT
// Work on the pieces of one whole by several threads, put together in order.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace livelogd::query {

/// Other threads that may lend a hand: those of a pool that the caller is on itself, so nobody may wait for
/// them to come.
struct helping_hands {
    std::size_t count = 0;
    /// Runs this on another thread some time, or never.
    std::function<void(std::function<void()>)> ask = nullptr;
};

/// What the threads share. A helper that comes late finds it closed.
template <class Result>
class ordered_work {
  public:
    using produce_function = std::function<Result(std::size_t)>;

    ordered_work(std::size_t pieces, produce_function produce)
        : pieces_(pieces), produce_(std::move(produce)) {}

    /// On the thread that asks: takes its part of the work, and hands every result to `consume`, in order.
    template <class Consume>
    void run(Consume&& consume) {
        std::unique_lock lock(mutex_);
        while (consumed_ < pieces_ && !error_) {
            if (const auto next = results_.find(consumed_); next != results_.end()) {
                Result result = std::move(next->second);
                results_.erase(next);
                lock.unlock();
                try {
                    consume(std::move(result));
                } catch (...) {
                    lock.lock();
                    error_ = std::current_exception();
                    break;
                }
                lock.lock();
                ++consumed_;
                changed_.notify_all();
            } else if (can_claim()) {
                work_on(claimed_++, lock);
            } else {
                changed_.wait(lock);
            }
        }
        closed_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return helpers_ == 0; });
        if (error_) std::rethrow_exception(error_);
    }

    /// On any other thread.
    void help() {
        std::unique_lock lock(mutex_);
        ++helpers_;
        while (!closed_ && !error_ && claimed_ < pieces_) {
            if (can_claim()) {
                work_on(claimed_++, lock);
            } else {
                changed_.wait(lock);
            }
        }
        --helpers_;
        changed_.notify_all();
    }

  private:
    /// So many results may wait for an earlier one.
    static constexpr std::size_t most_waiting = 8;

    [[nodiscard]] bool can_claim() const { return claimed_ < pieces_ && claimed_ < consumed_ + most_waiting; }

    void work_on(std::size_t piece, std::unique_lock<std::mutex>& lock) {
        lock.unlock();
        std::optional<Result> result;
        std::exception_ptr error;
        try {
            result.emplace(produce_(piece));
        } catch (...) {
            error = std::current_exception();
        }
        lock.lock();
        if (error && !error_) error_ = error;
        if (result) results_.emplace(piece, *std::move(result));
        changed_.notify_all();
    }

    std::mutex mutex_;  ///< never held while producing or consuming
    std::condition_variable changed_;
    const std::size_t pieces_;
    const produce_function produce_;
    std::size_t claimed_ = 0;
    std::size_t consumed_ = 0;
    std::size_t helpers_ = 0;
    std::map<std::size_t, Result> results_;
    std::exception_ptr error_;
    bool closed_ = false;
};

/// Calls `produce(i)` for every i below `pieces`, on this thread and on helpers, and `consume(result)` on
/// this one, in order. What `produce` refers to must be safe to use from several threads; it is not called
/// any more when this returns. Throws what either throws.
template <class Result, class Consume>
void in_order(std::size_t pieces, const helping_hands& hands, std::function<Result(std::size_t)> produce,
              Consume&& consume) {
    const auto work = std::make_shared<ordered_work<Result>>(pieces, std::move(produce));
    for (std::size_t i = 0; i < hands.count && i + 1 < pieces; ++i)
        hands.ask([work] { work->help(); });
    work->run(std::forward<Consume>(consume));
}

}  // namespace livelogd::query
