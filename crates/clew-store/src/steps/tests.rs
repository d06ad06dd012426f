use super::*;

fn last(seconds: u64, ago: u64) -> Window {
    let to = SystemTime::now() - Duration::from_secs(ago);
    Window::ending(to, Duration::from_secs(seconds))
}

#[test]
fn a_step_is_no_shorter_than_points_are_apart() {
    for (seconds, ago, at_most, length, count) in [
        (60, 0, 60, 1, 60),
        (60, 0, 500, 1, 60),
        (300, 0, 60, 5, 60),
        (60, 1_200, 60, 10, 6),
        // Of 9 s the first would reach back past ten minutes.
        (595, 0, 70, 10, 60),
        (3_600, 0, 60, 60, 60),
        (3_600, 0, 500, 10, 360),
        (3_600, 0, 100, 40, 90),
        (86_400, 0, 60, 1_440, 60),
        (86_400, 0, 500, 180, 480),
        (60, 100_000, 60, 60, 1),
    ] {
        let steps = Steps::of(last(seconds, ago), at_most);
        assert_eq!(
            steps.length().as_secs(),
            length,
            "{seconds} {ago} {at_most}"
        );
        // Aligning the end may cost one of them.
        assert!((count - 1..=count).contains(&steps.count()), "{steps:?}");
    }
}

#[test]
fn steps_end_where_points_do_and_cover_the_window() {
    let window = last(7 * 3_600, 0);
    let steps = Steps::of(window, 100);
    let ends: Vec<u64> = steps.ends_ms().collect();
    assert!(ends.iter().all(|end| end % 60_000 == 0), "{ends:?}");
    let covered = steps.window();
    assert!(covered.to <= window.to && covered.to + Duration::from_secs(60) > window.to);
    assert!(covered.from <= window.from + Duration::from_secs(60));
    assert_eq!(
        covered.length(),
        steps.length() * u32::try_from(steps.count()).unwrap()
    );
}

#[test]
fn the_end_of_a_step_is_in_it_and_its_beginning_is_not() {
    let steps = Steps::of(last(60, 0), 60);
    let ends: Vec<i64> = steps
        .ends_ms()
        .map(|end| i64::try_from(end).unwrap())
        .collect();
    assert_eq!(steps.position(ends[0] - 1_000), None);
    assert_eq!(steps.position(ends[0] - 999), Some(0));
    assert_eq!(steps.position(ends[0]), Some(0));
    assert_eq!(steps.position(ends[0] + 1), Some(1));
    let last = ends.len() - 1;
    assert_eq!(steps.position(ends[last]), Some(last));
    assert_eq!(steps.position(ends[last] + 1), None);
    assert_eq!(steps.position(-1), None);
}

#[test]
fn an_empty_window_has_one_step() {
    let to = UNIX_EPOCH;
    let steps = Steps::of(Window { from: to, to }, 60);
    assert_eq!((steps.count(), steps.window().from), (1, UNIX_EPOCH));
}
