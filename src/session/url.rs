//! `mysql://user:password@host:3306/database?option=value`.
//!
//! The host may be a list with commas; hosts with ports of their own go into the query
//! (`?host=a:3306,b:3307`), which wins: a URL has room for one port alone.
//!
//! Not by `mysql::Opts`: it wants a host, cannot tell a port that was given from the default, and
//! knows only its own options.

use ::url::Url;

use super::given::Value;

/// A URL as the options it names, in order. Every query key is an option.
///
/// # Errors
/// A sentence that says what is wrong with the URL, without the URL: it may hold a password.
pub fn settings(text: &str) -> Result<Vec<(String, Value)>, String> {
    let example = "a URL looks like mysql://user:password@host:3306/database?option=value";
    let url = Url::parse(text).map_err(|cause| {
        let ports = match cause {
            ::url::ParseError::InvalidPort => "; several hosts with a port each: ?host=a:1,b:2",
            _ => "",
        };
        format!("the URL does not parse: {cause}; {example}{ports}")
    })?;
    if !matches!(url.scheme(), "mysql" | "mariadb") {
        let scheme = url.scheme();
        return Err(format!("the URL's scheme is {scheme:?}, not mysql or mariadb; {example}"));
    }
    if url.cannot_be_a_base() {
        return Err(format!("the URL lacks its // ; {example}"));
    }
    let mut found = Vec::new();
    let mut add = |name: &str, value: Value| found.push((name.to_owned(), value));
    if let Some(host) = url.host_str().filter(|host| !host.is_empty()) {
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        add("host", Value::Text(decoded("host", bare)?));
    }
    if let Some(port) = url.port() {
        add("port", Value::Int(port.into()));
    }
    if !url.username().is_empty() {
        add("user", Value::Text(decoded("user", url.username())?));
    }
    if let Some(password) = url.password() {
        add("password", Value::Text(decoded("password", password)?));
    }
    let database = url.path().trim_start_matches('/');
    if database.contains('/') {
        return Err(format!("the URL names more than one database; {example}"));
    }
    if !database.is_empty() {
        add("database", Value::Text(decoded("database", database)?));
    }
    for (name, value) in url.query_pairs() {
        add(&name, Value::Text(value.into_owned()));
    }
    Ok(found)
}

fn decoded(part: &str, text: &str) -> Result<String, String> {
    // One rule of decoding: that of a query value, in which "+" must first be protected.
    let pair = format!("{}=", text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D"));
    let text =
        ::url::form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.into_owned());
    match text {
        Some(text) if !text.contains('\u{fffd}') => Ok(text),
        _ => Err(format!("the URL's {part} is not percent-encoded UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::{settings, Value};

    fn text(name: &str, value: &str) -> (String, Value) {
        (name.into(), Value::Text(value.into()))
    }

    #[test]
    fn every_part_of_a_url_is_an_option() {
        let found = settings(
            "mysql://us%40er:p%2Fw+%25@db.example:3307/app%20one?charset=latin1&max_size=3",
        );
        let port = ("port".to_owned(), Value::Int(3307));
        let wanted = vec![
            text("host", "db.example"),
            port,
            text("user", "us@er"),
            text("password", "p/w+%"),
            text("database", "app one"),
            text("charset", "latin1"),
            text("max_size", "3"),
        ];
        assert_eq!(found.unwrap(), wanted);
    }

    #[test]
    fn a_host_may_be_missing_or_an_ipv6_address() {
        assert_eq!(settings("mysql:///app").unwrap(), vec![text("database", "app")]);
        assert_eq!(settings("mysql://[::1]/").unwrap(), vec![text("host", "::1")]);
    }

    #[test]
    fn several_hosts_have_one_port_or_stand_in_the_query() {
        let port = ("port".to_owned(), Value::Int(3307));
        assert_eq!(settings("mysql://a,b:3307").unwrap(), vec![text("host", "a,b"), port]);
        let query = settings("mysql://u@a/?host=a:1,%5B::1%5D:2,c").unwrap();
        assert_eq!(query.last(), Some(&text("host", "a:1,[::1]:2,c")));
        assert!(settings("mysql://a:1,b:2/").unwrap_err().contains("?host=a:1,b:2"));
    }

    #[test]
    fn a_url_that_does_not_parse_is_not_repeated() {
        for bad in
            ["mysql://u:hush@h:port/", "http://u:hush@h/", "mysql:u:hush", "mysql://u:hush@h/a/b"]
        {
            let said = settings(bad).unwrap_err();
            assert!(said.contains("URL") && !said.contains("hush"), "{said}");
        }
    }
}
