// SPDX-License-Identifier: MIT
#include "daemon/filter/query_parser.hpp"

#include "daemon/filter/facet.hpp"
#include "daemon/filter/filter_error.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace livelogd::filter {
namespace {

constexpr std::string_view blanks = " \t\n\r\f\v";

bool is_blank(char c) {
    return blanks.find(c) != std::string_view::npos;
}

/// Characters in bytes that are UTF-8.
std::size_t characters_in(std::string_view bytes) {
    return static_cast<std::size_t>(std::ranges::count_if(
        bytes, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

class parser {
  public:
    explicit parser(std::string_view text) : text_(text) {}

    syntax::query read() {
        syntax::query terms;
        for (;;) {
            skip_blanks();
            if (at_end()) return terms;
            begin_term();
            read_term();
            term_.source = text_.substr(begin_, here_ - begin_);
            terms.push_back(std::move(term_));
        }
    }

  private:
    [[nodiscard]] bool at_end() const { return here_ == text_.size(); }
    [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[here_]; }
    [[nodiscard]] std::string_view rest() const { return text_.substr(here_); }

    bool skip(char c) {
        if (at_end() || text_[here_] != c) return false;
        ++here_;
        return true;
    }

    void skip_blanks() {
        while (!at_end() && is_blank(text_[here_]))
            ++here_;
    }

    void begin_term() {
        characters_ += characters_in(text_.substr(begin_, here_ - begin_));
        begin_ = here_;
        term_ = {};
        term_.at = characters_;
    }

    /// The term is wrong. It is shown up to where reading has come, or to the next blank.
    [[noreturn]] void refuse(std::string_view sentence) {
        const std::size_t end = std::min(text_.find_first_of(blanks, here_), text_.size());
        term_.source = text_.substr(begin_, end - begin_);
        refuse_term(term_, sentence);
    }

    void count_condition() {
        if (++conditions_ > max_conditions)
            refuse("an expression holds at most " + std::to_string(max_conditions) + " terms and values");
    }

    void count_pattern() {
        if (++patterns_ > max_patterns)
            refuse("an expression holds at most " + std::to_string(max_patterns) + " regular expressions");
    }

    void read_term() {
        term_.negated = skip('-');
        if (term_.negated && (at_end() || is_blank(peek())))
            refuse("after - comes the term that is turned around" + std::string(quote_it));
        if (term_.negated && peek() == '-') refuse("- is given twice" + std::string(quote_it));
        if (peek() == '"') return read_phrase();
        if (const auto end = pattern_end()) return read_lone_pattern(*end);
        if (const std::size_t size = field_name_size(rest()); size != 0) {
            const std::size_t after = here_ + size;
            if (after < text_.size() && std::string_view(":<>").find(text_[after]) != std::string_view::npos)
                return read_field(size);
        }
        read_word();
    }

    void read_phrase() {
        count_condition();
        term_.form = syntax::term_form::text;
        term_.values.push_back({.text = read_quoted()});
        require_end("after the closing quote comes a blank; within quotes \\\" stands for a quote");
    }

    void read_lone_pattern(std::size_t end) {
        count_condition();
        count_pattern();
        term_.form = syntax::term_form::expression;
        term_.values.push_back(read_pattern(end));
    }

    void read_word() {
        count_condition();
        if (peek() == '(')
            refuse(
                "parentheses hold the values of a field, as in level:(error|critical); to find either of two "
                "texts, write /one|two/"
                + std::string(quote_it));
        const std::string_view word = read_bare(false);
        if (word == ">" || word == ">=" || word == "<" || word == "<=")
            refuse("field, comparison and number are written without blanks, as in status>=400"
                   + std::string(quote_it));
        term_.form = syntax::term_form::text;
        term_.values.push_back({.text = std::string(word)});
    }

    void read_field(std::size_t name_size) {
        term_.field = rest().substr(0, name_size);
        here_ += name_size;
        if (!skip(':')) return read_comparison();
        term_.form = syntax::term_form::values;
        if (skip('(')) return read_list();
        count_condition();
        if (at_end() || is_blank(peek()))
            refuse("after : comes a value without a blank before it; \"\" is the empty one"
                   + std::string(quote_it));
        term_.values.push_back(read_value(false));
        require_end("after a value in quotes comes a blank; within quotes \\\" stands for a quote");
    }

    void read_list() {
        do {
            skip_blanks();
            count_condition();
            if (at_end()) refuse("the list is not closed: a ) is missing" + std::string(quote_it));
            term_.values.push_back(read_value(true));
            skip_blanks();
        } while (skip('|'));
        if (at_end()) refuse("the list is not closed: a ) is missing" + std::string(quote_it));
        if (!skip(')')) refuse("between the values of a list comes |; a value with blanks is put in quotes");
        require_end("after the ) that closes a list comes a blank");
    }

    void read_comparison() {
        count_condition();
        term_.form = syntax::term_form::comparison;
        const bool above = skip('>');
        if (!above) skip('<');
        const bool equal_too = skip('=');
        if (above) {
            term_.compared = equal_too ? syntax::comparison::at_least : syntax::comparison::above;
        } else {
            term_.compared = equal_too ? syntax::comparison::at_most : syntax::comparison::below;
        }
        const std::size_t end = std::min(text_.find_first_of(blanks, here_), text_.size());
        term_.operand = text_.substr(here_, end - here_);
        here_ = end;
    }

    syntax::value read_value(bool in_list) {
        if (peek() == '"') return {.text = read_quoted()};
        if (const auto end = pattern_end(in_list)) {
            count_pattern();
            return read_pattern(*end);
        }
        if (rest().starts_with("//"))
            refuse("a value that begins with // is put in quotes" + std::string(quote_it));
        if (peek() == '>' || peek() == '<')
            refuse("a comparison is written without the colon, as in status>=400" + std::string(quote_it));
        const std::string_view bare = read_bare(in_list);
        if (bare.empty()) refuse("a value is missing; \"\" is the empty one" + std::string(quote_it));
        if (bare == "*") return {.form = syntax::value_form::anything};
        syntax::value value{
            .text = std::string(bare), .open_front = bare.starts_with('*'), .open_back = bare.ends_with('*')};
        if (value.open_front) value.text.erase(0, 1);
        if (value.open_back) value.text.pop_back();
        if (value.open_front || value.open_back) value.form = syntax::value_form::open;
        return value;
    }

    /// What is written without quotes: up to the next blank, in a list also to what ends the value.
    std::string_view read_bare(bool in_list) {
        const std::size_t begin = here_;
        while (!at_end() && !is_blank(peek()) && !(in_list && (peek() == '|' || peek() == ')'))) {
            if (peek() == '"')
                refuse(
                    "a quote stands within a word: put the whole in quotes, where \\\" stands for a quote");
            ++here_;
        }
        return text_.substr(begin, here_ - begin);
    }

    /// The characters between the quotes; the opening one comes next.
    std::string read_quoted() {
        std::string characters;
        for (++here_; !at_end(); ++here_) {
            const char c = peek();
            if (c == '"') {
                ++here_;
                return characters;
            }
            const char next = here_ + 1 < text_.size() ? text_[here_ + 1] : '\0';
            if (c == '\\' && (next == '"' || next == '\\')) ++here_;
            characters += peek();
        }
        refuse("the closing quote is missing; \\\" in quotes, or \"\\\"\", stands for a quote");
    }

    /// Where the closing slash is, if a regular expression begins here. Paths begin with a slash too, so it
    /// is one only if the next slash ends the term (in a list: the value).
    [[nodiscard]] std::optional<std::size_t> pattern_end(bool in_list = false) const {
        if (peek() != '/') return std::nullopt;
        if (here_ + 1 < text_.size() && is_blank(text_[here_ + 1])) return std::nullopt;
        std::size_t open = 0;
        for (std::size_t i = here_ + 1; i < text_.size(); ++i) {
            const char c = text_[i];
            if (c == '\\') {
                ++i;
            } else if (c == '(') {
                ++open;
            } else if (c == ')' && in_list) {
                if (open == 0) return std::nullopt;  // the list ends here
                --open;
            } else if (c == '/') {
                return ends_value(i + 1, in_list) ? std::optional(i) : std::nullopt;
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] bool ends_value(std::size_t at, bool in_list) const {
        if (!in_list) return at == text_.size() || is_blank(text_[at]);
        at = text_.find_first_not_of(blanks, at);
        return at != std::string_view::npos && (text_[at] == '|' || text_[at] == ')');
    }

    /// The expression from here to its closing slash at `end`; goes behind it.
    syntax::value read_pattern(std::size_t end) {
        syntax::value value{.form = syntax::value_form::expression};
        for (++here_; here_ < end; ++here_) {
            if (peek() == '\\') {
                ++here_;
                if (peek() != '/') value.text += '\\';
            }
            value.text += peek();
        }
        ++here_;
        if (value.text.empty()) refuse("there is nothing between the slashes" + std::string(quote_it));
        return value;
    }

    void require_end(std::string_view sentence) {
        if (!at_end() && !is_blank(peek())) refuse(sentence);
    }

    std::string_view text_;
    std::size_t here_ = 0;
    std::size_t begin_ = 0;       ///< of the term
    std::size_t characters_ = 0;  ///< before the term
    std::size_t conditions_ = 0;
    std::size_t patterns_ = 0;
    syntax::term term_;
};

}  // namespace

std::string_view syntax::sign_of(comparison compared) {
    switch (compared) {
        case comparison::above:
            return ">";
        case comparison::at_least:
            return ">=";
        case comparison::below:
            return "<";
        case comparison::at_most:
            return "<=";
    }
    return "";
}

syntax::query parse_query(std::string_view text) {
    if (protocol::valid_utf8_prefix(text) != text.size()) throw filter_error("q", "q is not UTF-8");
    return parser(text).read();
}

void refuse_term(const syntax::term& term, std::string_view sentence) {
    throw filter_error("q", quoted_excerpt(term.source) + ": " + std::string(sentence), term.at);
}

}  // namespace livelogd::filter
