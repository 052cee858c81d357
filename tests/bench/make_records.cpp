// SPDX-License-Identifier: MIT
// Records as an app with a local model logs them, for the benchmark. Equal options give equal bytes.
//
//   make_records --out=FILE --count=N | --bytes=N [--seed=1] [--first=0] [--spaced] [--error-every=N]
//                [--end-us=T] [--span-s=S]
//
//   --first        number of the first record, so that several files can follow each other
//   --spaced       white space as Python's json.dumps writes it; default: none
//   --error-every  one error in so many records; default: one answer in 15
//   --end-us       time of the last record, microseconds since 1970; default: a day in 2025
//   --span-s       from the first record to the last; default: an hour
//
// Of 100 records 45 are requests, 45 their responses (of the same request_id, a few records later), 10
// events. A third of the answers tell tokens and times in one of three spellings. Sizes: 300 to 1,100 bytes
// mostly, one in 50 up to 8 KB; some escapes and some text beyond ASCII.
#include "tests/bench/support.hpp"

#include <algorithm>
#include <array>
#include <deque>

namespace {

/// Marsaglia's xorshift64*: small, and the same everywhere.
class dice {
  public:
    explicit dice(std::uint64_t seed) : state_(seed * 2'654'435'769u + 88'172'645'463'325'252u) {}
    /// 0 … n-1
    std::uint64_t below(std::uint64_t n) {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return (state_ * 0x2545F4914F6CDD1Du >> 33) % n;
    }
    template <class List>
    const auto& one_of(const List& list) {
        return list[static_cast<std::size_t>(below(list.size()))];
    }

  private:
    std::uint64_t state_;
};

struct route {
    const char* method;
    const char* path;
    const char* name;
    bool model;
};
constexpr std::array<route, 6> routes{{{"POST", "/v1/chat/completions", "chat", true},
                                       {"POST", "/api/generate", "generate", true},
                                       {"POST", "/api/embed", "embed", true},
                                       {"GET", "/api/models", "list_models", false},
                                       {"GET", "/health", "health", false},
                                       {"DELETE", "/api/models/old", "remove_model", false}}};
constexpr std::array<const char*, 4> models{"gemma-3-4b", "llama3.1:8b", "qwen3-14b-q4_K_M", "smollm2"};
constexpr std::array<const char*, 4> clients{
    "curl/7.88.1", "python-httpx/0.27.0", "openai-python/1.51.2",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"};
constexpr std::array<const char*, 36> vocabulary{"summarise",
                                                 "the",
                                                 "minutes",
                                                 "of",
                                                 "yesterday",
                                                 "and",
                                                 "answer",
                                                 "in",
                                                 "two",
                                                 "sentences",
                                                 "please",
                                                 "Gr\\u00fc\xC3\x9F"
                                                 "e",
                                                 "\\\"as is\\\"",
                                                 "first\\nsecond",
                                                 "why",
                                                 "does",
                                                 "attention",
                                                 "scale",
                                                 "with",
                                                 "length",
                                                 "a",
                                                 "local",
                                                 "model",
                                                 "runs",
                                                 "on",
                                                 "one",
                                                 "machine",
                                                 "without",
                                                 "any",
                                                 "cloud",
                                                 "\xE6\x97\xA5\xE6\x9C\xAC",
                                                 "context",
                                                 "window",
                                                 "holds",
                                                 "C:\\\\tmp",
                                                 "tokens"};
struct fault {
    int status;
    const char* type;
    const char* text;
};
constexpr std::array<fault, 4> faults{{{500, "OutOfMemory", "the model did not fit into memory"},
                                       {404, "ModelNotFound", "no such model"},
                                       {429, "QueueFull", "too many requests are waiting"},
                                       {504, "Timeout", "no answer within 120 s"}}};

class writer {
  public:
    writer(std::uint64_t seed, bool spaced, std::uint64_t error_every)
        : dice_(seed), comma_(spaced ? ", " : ","), colon_(spaced ? ": " : ":"), error_every_(error_every) {}

    /// Appends record number `n` with its LF.
    void append(std::string& out, std::uint64_t n, std::uint64_t time_us) {
        out_ = &out;
        const bool due = !waiting_.empty() && (waiting_.size() > 8 || n >= waiting_.front().due);
        const bool wanted = error_every_ != 0 && n % error_every_ == error_every_ / 2;
        const bool chance = error_every_ == 0 && dice_.below(15) == 0;
        if (due || (wanted && !waiting_.empty())) {
            response(n, time_us, wanted || chance);
        } else if (wanted || dice_.below(55) < 10) {
            event(time_us, wanted);
        } else {
            request(n, time_us);
        }
        out += "}\n";
    }

  private:
    struct open_request {
        std::uint64_t number = 0;
        std::uint64_t due = 0;
        const route* where = nullptr;
        const char* model = nullptr;
    };

    void begin(std::uint64_t time_us, const char* level, const char* type, std::string_view message) {
        std::array<char, 40> stamp{};
        const auto whole = static_cast<time_t>(time_us / 1'000'000u);
        if (whole != stamped_) {  // the calendar once a second
            stamped_ = whole;
            tm parts{};
            ::gmtime_r(&whole, &parts);
            std::strftime(second_.data(), second_.size(), "%Y-%m-%dT%H:%M:%S", &parts);
        }
        const auto length = std::snprintf(stamp.data(), stamp.size(), "%s.%06uZ", second_.data(),
                                          static_cast<unsigned>(time_us % 1'000'000u));
        *out_ += "{\"timestamp\"";
        *out_ += colon_;
        *out_ += '"';
        out_->append(stamp.data(), static_cast<std::size_t>(length));
        *out_ += '"';
        text("level", level);
        text("message", message);
        text("module", "app.api");
        text("type", type);
    }
    void key(const char* name) {
        *out_ += comma_;
        *out_ += '"';
        *out_ += name;
        *out_ += '"';
        *out_ += colon_;
    }
    void text(const char* name, std::string_view value) {
        key(name);
        *out_ += '"';
        *out_ += value;
        *out_ += '"';
    }
    void number(const char* name, std::uint64_t value) {
        key(name);
        *out_ += std::to_string(value);
    }
    /// `value` is in hundredths.
    void decimal(const char* name, std::uint64_t value) {
        key(name);
        std::array<char, 32> digits{};
        const auto length = std::snprintf(digits.data(), digits.size(), "%llu.%02llu",
                                          static_cast<unsigned long long>(value / 100),
                                          static_cast<unsigned long long>(value % 100));
        out_->append(digits.data(), static_cast<std::size_t>(length));
    }
    void prose(const char* name, std::size_t length) {
        key(name);
        *out_ += '"';
        const auto begun = out_->size();
        while (out_->size() < begun + length) {
            *out_ += dice_.one_of(vocabulary);
            *out_ += ' ';
        }
        out_->back() = '"';
    }
    /// An object as a value: its first member must not begin with a comma.
    void open_object(const char* name) {
        key(name);
        *out_ += '{';
        object_ = out_->size();
    }
    void close_object() {
        out_->erase(object_, comma_.size());
        *out_ += '}';
    }
    std::size_t prose_length() {
        return dice_.below(50) == 0 ? 1'000 + dice_.below(7'000) : 20 + dice_.below(600);
    }
    static std::string request_id(std::uint64_t number) {
        std::array<char, 32> digits{};
        const unsigned long long spread = number * 0x9E3779B1u;
        std::snprintf(digits.data(), digits.size(), "req-%012llx", spread);
        return digits.data();
    }
    void address(const open_request& r) {
        text("request_id", request_id(r.number));
        text("method", r.where->method);
        text("endpoint", r.where->path);
        if (r.model != nullptr) text("model", r.model);
    }

    void request(std::uint64_t n, std::uint64_t time_us) {
        const auto& where = dice_.one_of(routes);
        const open_request r{n, n + 1 + dice_.below(9), &where, where.model ? dice_.one_of(models) : nullptr};
        begin(time_us, "INFO", "request", std::string(where.method) + " " + where.path);
        address(r);
        text("remote_addr", "127.0.0.1");
        text("user_agent", dice_.one_of(clients));
        if (r.model != nullptr) {
            open_object("request_body");
            number("max_tokens", 128 + dice_.below(1'920));
            decimal("temperature", dice_.below(120));
            prose("prompt", prose_length());
            close_object();
        } else {
            prose("note", 100 + dice_.below(150));
        }
        waiting_.push_back(r);
    }

    void response(std::uint64_t n, std::uint64_t time_us, bool error) {
        const auto r = waiting_.front();
        waiting_.pop_front();
        const auto& wrong = dice_.one_of(faults);
        begin(time_us, error ? "ERROR" : "INFO", "response",
              error ? wrong.text : std::string(r.where->method) + " " + r.where->path + " answered");
        address(r);
        number("status_code", static_cast<std::uint64_t>(error ? wrong.status : 200));
        const auto hundredths = 200 + dice_.below(dice_.below(20) == 0 ? 6'000'000 : 60'000);
        decimal("duration_ms", hundredths);
        if (error) {
            text("error_type", wrong.type);
            prose("traceback", 250 + dice_.below(500));
            return;
        }
        if (r.model == nullptr) {
            prose("note", 150 + dice_.below(200));
            return;
        }
        open_object("response_body");
        prose("text", prose_length());
        close_object();
        usage(n, hundredths);
    }

    void usage(std::uint64_t n, std::uint64_t hundredths) {
        const auto prompt = 20 + dice_.below(2'000);
        const auto output = 10 + dice_.below(700);
        const auto ns = hundredths * 10'000;
        switch (n % 9) {
            case 0:  // OpenAI's
                open_object("usage");
                number("prompt_tokens", prompt);
                number("completion_tokens", output);
                number("total_tokens", prompt + output);
                close_object();
                break;
            case 1:  // llama.cpp's
                open_object("timings");
                number("prompt_n", prompt);
                decimal("prompt_ms", hundredths / 5);
                number("predicted_n", output);
                decimal("predicted_ms", hundredths * 3 / 4);
                close_object();
                break;
            case 2:  // Ollama's
                number("prompt_eval_count", prompt);
                number("prompt_eval_duration", ns / 5);
                number("eval_count", output);
                number("eval_duration", ns / 4 * 3);
                number("total_duration", ns);
                break;
            default:
                break;
        }
    }

    void event(std::uint64_t time_us, bool error) {
        begin(time_us, error ? "ERROR" : "INFO", "custom_event",
              error ? "the cache is broken" : "model loaded");
        text("model", dice_.one_of(models));
        number("bytes", 1'000'000 + dice_.below(9'000'000'000u));
        prose("details", 150 + dice_.below(500));
    }

    dice dice_;
    std::string_view comma_;
    std::string_view colon_;
    std::uint64_t error_every_;
    std::string* out_ = nullptr;
    std::size_t object_ = 0;
    std::deque<open_request> waiting_;
    time_t stamped_ = -1;
    std::array<char, 32> second_{};
};

constexpr std::uint64_t typical_bytes = 620;

void make(const bench::options& o) {
    const auto bytes = o.number("bytes", 0);
    const auto count = o.number("count", bytes == 0 ? 0 : bytes / typical_bytes);
    const auto first = o.number("first", 0);
    const auto end_us = o.number("end-us", 1'750'000'000'000'000u);
    const auto span_us = o.number("span-s", 3'600) * 1'000'000u;
    if (count == 0) throw std::runtime_error("--count=N or --bytes=N is missing");
    writer records(o.number("seed", 1), o.has("spaced"), o.number("error-every", 0));

    const auto path = o.needed("out");
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bench::require(fd >= 0, path);
    std::string block;
    std::uint64_t written = 0;
    std::uint64_t n = 0;
    // With --bytes the size is what counts: the number of records is only what the times are spread over.
    for (; bytes == 0 ? n < count : written + block.size() < bytes; ++n) {
        const auto part = static_cast<double>(std::min(n + 1, count)) / static_cast<double>(count);
        const auto since = static_cast<std::uint64_t>(part * static_cast<double>(span_us));
        records.append(block, first + n, end_us - span_us + since);
        if (block.size() < (1u << 20)) continue;
        bench::write_whole(fd, block);
        written += block.size();
        block.clear();
    }
    bench::write_whole(fd, block);
    written += block.size();
    ::close(fd);
    std::printf("{\"records\":%llu,\"bytes\":%llu}\n", static_cast<unsigned long long>(n),
                static_cast<unsigned long long>(written));
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run(argc, argv, make);
}
